"use strict";
// What every page has: words in each language, light and dark, commands that can be copied.
const easrig = (() => {
  const root = document.documentElement;
  const data = JSON.parse(document.getElementById("data").textContent);
  const $ = (selector, from = document) => from.querySelector(selector);
  const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
  const listeners = [];
  let lang = root.dataset.lang;
  root.classList.add("js");

  // Words -------------------------------------------------------------------------------------------------------------
  let plurals = new Intl.PluralRules(lang);
  function say(key, args = {}) {
    let text = data.words[lang][key];
    if (text === undefined) return key;
    if (typeof text === "object") {
      const n = Object.values(args).find((value) => typeof value === "number") ?? 0;
      text = text[plurals.select(n)] ?? text.other;
    }
    return text.replace(/\{(\w+)\}/g, (hole, name) => {
      const value = args[name];
      if (value === undefined) return hole;
      return typeof value === "object" ? say(value.w, value.a) : String(value);
    });
  }
  function speak(code) {
    if (!data.words[code]) return;
    lang = code;
    plurals = new Intl.PluralRules(code);
    root.lang = root.dataset.lang = code;
    for (const node of $$("[data-w]")) node.textContent = say(node.dataset.w, node.dataset.a ? JSON.parse(node.dataset.a) : {});
    for (const node of $$("[data-w-label]")) node.setAttribute("aria-label", say(node.dataset.wLabel));
    for (const button of $$(".langs button")) button.setAttribute("aria-pressed", String(button.dataset.lang === code));
    for (const listener of listeners) listener();
    keep("easrig-lang", code);
  }
  // A page opened from a disk or a mail may have no storage.
  function keep(name, value) { try { localStorage.setItem(name, value); } catch { /* then it is not remembered */ } }
  function kept(name) { try { return localStorage.getItem(name); } catch { return null; } }

  function make(name, text, of = {}) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(of)) node.setAttribute(key, value);
    if (text !== undefined) node.textContent = text;
    return node;
  }
  function spoken(name, key, args) {
    return make(name, say(key, args), { "data-w": key, ...(args && Object.keys(args).length ? { "data-a": JSON.stringify(args) } : {}) });
  }
  // A sentence of the record: of the catalogue, or as it is.
  const tell = (told) => (typeof told === "string" ? told : say(told.w, told.a));
  const told = (name, what) => (typeof what === "string" ? make(name, what, { lang: "en" }) : spoken(name, what.w, what.a));

  for (const command of $$(".command")) {
    const button = make("button", say("copy.label"), { type: "button", class: "copy", "data-w": "copy.label" });
    button.addEventListener("click", async () => {
      try { await navigator.clipboard.writeText($("code", command).textContent); } catch {
        const range = document.createRange();
        range.selectNodeContents($("code", command));
        getSelection().removeAllRanges();
        getSelection().addRange(range);
        document.execCommand("copy");
      }
      $("#said").textContent = say("copy.done");
      button.dataset.w = "copy.done";
      button.textContent = say("copy.done");
    });
    command.prepend(button);
  }

  $("#switches").hidden = false;
  for (const button of $$(".langs button")) button.addEventListener("click", () => speak(button.dataset.lang));
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
  $("#theme").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    keep("easrig-theme", root.dataset.theme);
  });
  const theme = kept("easrig-theme");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;

  // On paper the manager's part is open, and the bytes stay closed unless they were opened.
  const opened = new Set();
  addEventListener("beforeprint", () => {
    for (const node of $$("#details > .block, .untested, .unfold")) if (!node.open) { opened.add(node); node.open = true; }
  });
  addEventListener("afterprint", () => {
    for (const node of opened) node.open = false;
    opened.clear();
  });

  // Calls `listener` now, and whenever the page has another language.
  function begin(listener) {
    listeners.push(listener);
    const wished = kept("easrig-lang");
    if (wished && wished !== lang && data.words[wished]) speak(wished);
    else listener();
  }
  return { data, $, $$, say, make, spoken, tell, told, begin };
})();
