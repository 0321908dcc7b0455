// A page with things that can be searched and filtered: changed cells, or phones.
(() => {
  const { $, $$, say, begin } = easrig;
  const form = $("#filters");
  const items = $$("[data-item]").map((node) => ({ node, box: node.closest("[data-box]"), ...node.dataset, marks: (node.dataset.marks ?? "").split(" ") }));
  const boxes = $$("[data-box]");

  function state() {
    const found = { q: "", mark: [], family: "", cell: "" };
    for (const part of location.hash.slice(1).split("&")) {
      const cut = part.indexOf("=");
      if (cut < 0) continue;
      const [name, value] = [part.slice(0, cut), part.slice(cut + 1)];
      if (name === "cell") found.cell = value;
      else if (name === "mark") found.mark = value.split(",").filter((mark) => /^[a-z]$/.test(mark));
      else if (name in found) { try { found[name] = decodeURIComponent(value); } catch { /* a broken address is no filter */ } }
    }
    return found;
  }
  function go(next) {
    const parts = [];
    for (const name of ["q", "family"]) if (next[name]) parts.push(`${name}=${encodeURIComponent(next[name])}`);
    if (next.mark.length) parts.push(`mark=${next.mark.join(",")}`);
    if (next.cell) parts.push(`cell=${next.cell}`);
    history.replaceState(null, "", parts.length ? `#${parts.join("&")}` : location.pathname + location.search);
  }

  function filter() {
    if (!form) return;
    const now = state();
    const words = now.q.toLowerCase().split(/\s+/).filter(Boolean);
    const full = new Set();
    let fit = 0;
    for (const item of items) {
      const text = words.length ? `${($("summary", item.node) ?? item.node).textContent} ${item.box?.querySelector("header")?.textContent ?? ""} ${item.family}`.toLowerCase() : "";
      const fits = (!now.mark.length || now.mark.some((mark) => item.marks.includes(mark))) && (!now.family || now.family === item.family)
        && words.every((word) => text.includes(word));
      item.node.hidden = !fits;
      if (fits) { fit += 1; full.add(item.box); }
    }
    for (const box of boxes) box.hidden = !full.has(box);
    for (const rest of $$(".rest")) {
      const some = $$("[data-item]", rest).some((node) => !node.hidden);
      rest.hidden = !some;
      if (some && (words.length || now.mark.length || now.family)) rest.open = true;
    }
    for (const node of $$("[data-of]")) node.hidden = Boolean(now.family) && node.dataset.of !== now.family;
    const narrowed = words.length || now.mark.length || now.family;
    $("#shown").textContent = narrowed ? say(form.dataset.shown, { n: fit, all: items.length }) : "";
    form.q.value = now.q;
    form.family.value = now.family;
    for (const box of $$('input[name="mark"]', form)) box.checked = now.mark.includes(box.value);
  }
  function show() {
    const { cell } = state();
    const node = cell && document.getElementById(`cell=${cell}`);
    if (!node) return;
    for (let up = node; up; up = up.parentElement) if (up.tagName === "DETAILS") up.open = true;
    node.scrollIntoView();
  }

  if (form) {
    form.hidden = false;
    form.addEventListener("input", () => {
      go({ ...state(), q: form.q.value, family: form.family.value, mark: $$('input[name="mark"]:checked', form).map((box) => box.value) });
      filter();
    });
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", (event) => {
      event.preventDefault();
      go({ q: "", mark: [], family: "", cell: "" });
      filter();
    });
    // Whoever opens a cell can send its address.
    for (const item of items) {
      $("summary", item.node)?.addEventListener("click", () => {
        if (!item.node.open) go({ ...state(), cell: item.node.id.slice(5) });
      });
    }
  }
  addEventListener("hashchange", () => { filter(); show(); });
  begin(filter);
  show();
})();
