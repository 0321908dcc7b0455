// Reads report.html, and the pages of compare and matrix, in Chromium as a manager, an engineer and a screen reader would, and keeps pictures of it.
//
//   node read.js REPORT.html [ANOTHER.html …]    CHROMIUM=/usr/bin/chromium  OUT=target/browser

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const OUT = resolve(process.env.OUT ?? "target/browser");
const EXECUTABLE = process.env.CHROMIUM ?? "/usr/bin/chromium";
const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844 };

const reports = process.argv.slice(2);
if (reports.length === 0) {
  console.error("usage: node read.js REPORT.html …");
  process.exit(2);
}
mkdirSync(OUT, { recursive: true });
// The pages come from the disk: whoever is root in a container has no sandbox to give away.
const browser = await chromium.launch({
  executablePath: EXECUTABLE,
  args: ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND"],
});
try {
  for (const report of reports) await read(resolve(report));
} finally {
  await browser.close();
}

async function read(path) {
  const name = `${basename(dirname(path))}-${basename(path, ".html")}`;
  const url = pathToFileURL(path).href;
  const { page, trouble } = await open(url, DESKTOP, "light");
  if ((await page.locator("#matrix").count()) === 0) return readList(page, trouble, path, url, name);
  const cells = await page.locator(".grid tbody td[class]").count();

  await pictures(page, name);
  await filters(page);
  await language(page);
  await theme(page);
  await deepLink(page, url, name);
  await keyboard(page, url);
  const pages = await print(page, url, name);
  for (const scheme of ["light", "dark"]) await axe(page, url, scheme);
  assert.deepEqual(trouble, [], "the page made no noise and asked for nothing");
  await page.context().close();

  await withoutScript(url, name);
  console.log(`${path}: ${cells} cells read, ${pages} pages of A4`);
}

// What changed between two runs, or several servers side by side: things in a list that can be filtered.
async function readList(page, trouble, path, url, name) {
  const items = await page.locator("[data-item]").count();
  await pictures(page, name);
  if (items > 0) await listFilters(page, items);
  await theme(page);
  const title = page.locator("h2").filter({ visible: true }).last();
  const before = await title.textContent();
  await page.locator('.langs button[data-lang="fr"]').click();
  assert.notEqual(await title.textContent(), before, "the page speaks French");
  const spoken = (await page.locator("main [data-w]").allTextContents()).filter((text) => /\{\w+\}/.test(text));
  assert.deepEqual(spoken, [], "nothing is left to be put in");
  assert.deepEqual(await english(page), [], "no English on the French page that is not marked as English");
  await page.screenshot({ path: `${OUT}/${name}-french.png`, fullPage: true });
  await page.locator('.langs button[data-lang="en"]').click();
  assert.equal(await title.textContent(), before);
  const cell = page.locator("details[data-item][id]").last();
  if (await cell.count()) {
    await page.goto(`${url}#${await cell.getAttribute("id")}`);
    await page.reload();
    assert.ok(await cell.locator(".beside").isVisible(), "the address of a cell opens it");
  }
  const pages = await print(page, url, name);
  for (const scheme of ["light", "dark"]) await axe(page, url, scheme);
  assert.deepEqual(trouble, [], "the page made no noise and asked for nothing");
  await page.context().close();

  const quiet = await open(url, DESKTOP, "light", false);
  assert.ok((await quiet.page.locator("h1").textContent()).length > 10);
  assert.equal(await quiet.page.locator("#filters:visible").count(), 0, "what needs a script is not shown without one");
  assert.deepEqual(quiet.trouble, []);
  await quiet.page.context().close();
  console.log(`${path}: ${items} things read, ${pages} pages of A4`);
}

async function listFilters(page, items) {
  const fitting = () => page.locator("[data-item]:not([hidden])").count();
  const family = page.locator('#filters select[name="family"]');
  const first = await page.locator("[data-item]").first().getAttribute("data-family");
  await family.selectOption(first);
  const some = await fitting();
  assert.ok(some > 0 && some <= items, `${first} has some of ${items} (${some})`);
  assert.match(page.url(), /#.*family=/, "the filter is in the address");
  await page.reload();
  assert.equal(await fitting(), some, "and holds when the address is opened again");
  await page.locator('#filters button[type="reset"]').click();
  assert.equal(await fitting(), items);
  await page.locator('#filters input[name="q"]').fill("nothing has such a name");
  assert.equal(await fitting(), 0);
  await page.locator('#filters button[type="reset"]').click();
  await page.locator('#filters input[name="mark"]').first().check();
  assert.ok((await fitting()) > 0);
  await page.locator('#filters button[type="reset"]').click();
}

async function open(url, viewport, colorScheme, javaScriptEnabled = true) {
  const context = await browser.newContext({ viewport, colorScheme, javaScriptEnabled, reducedMotion: "reduce" });
  const page = await context.newPage();
  const trouble = [];
  page.on("console", (message) => { if (message.type() === "error") trouble.push(message.text()); });
  page.on("pageerror", (error) => trouble.push(String(error)));
  page.on("request", (request) => { if (!request.url().startsWith("file:")) trouble.push(`asked for ${request.url()}`); });
  await page.goto(url);
  return { page, trouble };
}

async function pictures(page, name) {
  for (const [size, viewport] of [["desktop", DESKTOP], ["phone", PHONE]]) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: `${OUT}/${name}-${size}-${colorScheme}.png`, fullPage: true });
    }
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wide <= 0, `nothing but tables scrolls sideways at ${viewport.width} pixels (${wide} too wide)`);
  }
  await page.setViewportSize(DESKTOP);
  await page.emulateMedia({ colorScheme: "light" });
}

async function filters(page) {
  const fitting = () => page.locator(".grid tbody tr:not([hidden]) td[class]:not(.off)").count();
  const all = await fitting();
  const chip = page.locator('#filters input[name="verdict"]').first();
  await chip.check();
  const some = await fitting();
  const verdicts = await page.locator('#filters input[name="verdict"]').count();
  assert.ok(some > 0 && (some < all || verdicts === 1), `a verdict leaves some of ${all} cells (${some})`);
  assert.match(page.url(), /#.*verdict=[a-z]/, "the filter is in the address");
  await page.reload();
  assert.equal(await fitting(), some, "and holds when the address is opened again");
  await page.locator('#filters button[type="reset"]').click();
  assert.equal(await fitting(), all);
  await page.locator('#filters input[name="q"]').fill("no scenario has such a name");
  assert.equal(await fitting(), 0);
  await page.locator('#filters button[type="reset"]').click();
  const family = await page.locator('#filters select[name="family"] option').nth(1).textContent();
  await page.locator('#filters select[name="family"]').selectOption(family);
  const ofFamily = await fitting();
  assert.ok(ofFamily > 0 && ofFamily <= all);
  await page.locator('#filters select[name="sort"]').selectOption("worst");
  assert.match(page.url(), /sort=worst/);
  await page.locator('#filters button[type="reset"]').click();
}

async function language(page) {
  const title = page.locator("#owners-title");
  assert.equal(await title.textContent(), "What each owner sees");
  await page.locator('.langs button[data-lang="fr"]').click();
  assert.equal(await title.textContent(), "Ce que voit chaque propriétaire");
  assert.equal(await page.evaluate(() => document.documentElement.lang), "fr");
  const word = await page.locator(".grid tbody td[class]").first().textContent();
  assert.match(word, /réussi|échec|bloqué|dégradé|omis|indécis/);
  assert.deepEqual(await english(page), [], "no English on the French page that is not marked as English");
  await page.reload();
  await page.locator('.langs button[data-lang="en"]').click();
  assert.equal(await title.textContent(), "What each owner sees");
}

// The texts of a page that have an English word, but for what is marked as English, is code, or is quoted.
function english(page) {
  return page.evaluate(() => {
    const words = /(?<![\w-])(?:the|of|is|was|were|are|and|not|with|for|by|from|that|this|which|has|have|had|it|its|no|an|in|to)(?![\w-])/i;
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = new Set();
    const names = [...document.querySelectorAll("table:is(.phones, .members, .servers) tbody th[scope=row]")].map((th) => th.firstChild.textContent.trim());
    while (texts.nextNode()) {
      const node = texts.currentNode;
      if (node.parentElement.closest('[lang="en"], code, pre, script, option, .beside, .url')) continue;
      let own = node.textContent.replace(/«[^»]*»|“[^”]*”|`[^`]*`|--\w+/g, " ");
      for (const name of names) own = own.replaceAll(name, " ");
      if (words.test(own)) found.add(node.textContent.trim());
    }
    return [...found];
  });
}

async function theme(page) {
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const before = await paper();
  await page.locator("#theme").click();
  assert.notEqual(await paper(), before);
  await page.locator("#theme").click();
  assert.equal(await paper(), before);
}

async function deepLink(page, url, name) {
  const links = page.locator(".grid tbody td a");
  const target = (await links.count()) > 0 ? await links.first().getAttribute("href") : null;
  if (target) {
    await page.goto(`${url}${target}`);
    await page.reload();
    const sheet = page.locator("#sheet");
    await sheet.waitFor({ state: "visible" });
    assert.ok((await sheet.locator(".exchange, p").count()) > 0, "the cell has something to say");
    const raw = sheet.locator(".exchange[open] .raw").first();
    if (await raw.count()) {
      await raw.locator("summary").click();
      assert.match(await raw.locator("pre").textContent(), /^0000 {2}[0-9a-f]{2} /);
    }
    await page.screenshot({ path: `${OUT}/${name}-cell.png` });
    await page.keyboard.press("Escape");
    await sheet.waitFor({ state: "hidden" });
    await page.waitForFunction(() => !location.hash.includes("cell="));
  }
  const passing = page.locator(".grid tbody td.p").first();
  if (await passing.count()) {
    await passing.scrollIntoViewIfNeeded().catch(() => {});
    await passing.evaluate((td) => { for (let node = td; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true; });
    await passing.click();
    assert.match(page.url(), /#cell=[^&]+~[^&]+~/, "a passing cell has an address too");
    assert.match(await page.locator("#sheet .show").textContent(), /easrig show .* --cell /);
    await page.locator("#sheet button").first().click();
  }
}

async function keyboard(page, url) {
  await page.goto(`${url}#`);
  await page.reload();
  const reached = await page.evaluate(() => document.querySelectorAll('.grid tbody td[tabindex="0"]').length);
  const tables = await page.locator(".grid").count();
  assert.equal(reached, tables, "one stop for the tab key in each table");
  const first = page.locator('.block[open] .grid td[tabindex="0"]').first();
  if (!(await first.count())) return;
  await first.focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  assert.ok(await page.locator("#sheet").isVisible(), "Enter opens the cell");
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => document.activeElement.closest("td") !== null);
}

async function print(page, url, name) {
  await page.goto(url);
  const most = await enough(page);
  const pdf = await page.pdf({ path: `${OUT}/${name}.pdf`, preferCSSPageSize: true, printBackground: true });
  const text = pdf.toString("latin1");
  const pages = (text.match(/\/Type\s*\/Page\b(?!s)/g) ?? []).length;
  const box = /\/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)\s*\]/.exec(text);
  assert.ok(box && Math.abs(box[1] - 595) < 2 && Math.abs(box[2] - 842) < 2, "it is A4");
  assert.ok(pages >= 1 && pages <= most, `${pages} pages, where ${most} would do`);
  await page.emulateMedia({ media: "print" });
  await page.setViewportSize({ width: 690, height: 980 });
  await page.screenshot({ path: `${OUT}/${name}-print.png`, fullPage: true });
  await page.emulateMedia({ media: "screen" });
  await page.setViewportSize(DESKTOP);
  return pages;
}

// How many pages are enough for what is on paper: rows of tables, drawings of ways, boxes, and a line for each cell that does
// not pass. Measured on 40 reports (1 to 90 scenarios, 0 to 150 cells that do not pass): all stay below. Were the bytes inside the
// cells printed too, all that have one would be above, and those with ten cells or more by twice and more.
function enough(page) {
  return page.evaluate(() => {
    const count = (selector) => document.querySelectorAll(selector).length;
    const rows = count("tr") - count(".cell tr");
    return Math.floor(6 + rows / 25 + count("svg.path") + count("article") / 2 + count("details.cell") / 8);
  });
}

async function axe(page, url, colorScheme) {
  await page.emulateMedia({ colorScheme });
  await page.goto(url);
  await page.evaluate(() => { for (const node of document.querySelectorAll("details")) node.open = true; });
  // Evaluated from outside: the page's own policy lets no other script in.
  const found = await page.evaluate(async (source) => {
    const load = new Function(`${source}; return axe;`);
    const result = await load().run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] });
    return result.violations.map(({ id, impact, nodes }) => ({ id, impact, where: nodes.slice(0, 3).map((node) => `${node.target.join(" ")}: ${node.failureSummary}`) }));
  }, AXE);
  const serious = found.filter(({ impact }) => impact === "serious" || impact === "critical");
  for (const one of found) console.log(`axe, ${colorScheme}: ${one.impact} ${one.id}\n  ${one.where.join("\n  ")}`);
  assert.deepEqual(serious.map(({ id }) => id), [], `no serious or critical violation in ${colorScheme}`);
}

async function withoutScript(url, name) {
  const { page, trouble } = await open(url, DESKTOP, "light", false);
  assert.ok((await page.locator("h1").textContent()).length > 10);
  assert.ok(!(await page.locator("#filters").isVisible()), "what needs a script is not shown without one");
  const link = page.locator(".grid tbody td a").first();
  if (await link.count()) {
    const target = await link.getAttribute("href");
    assert.equal(await page.locator(`[id="${target.slice(1)}"]`).count(), 1, "a cell that does not pass can be followed");
  }
  await page.screenshot({ path: `${OUT}/${name}-without-script.png` });
  assert.deepEqual(trouble, []);
  await page.context().close();
}
