(() => {
  const { data, $, $$, say, make, spoken, tell, told } = easrig;
  const KEYS = { p: "verdict.pass", f: "verdict.fail", b: "verdict.blocked", d: "verdict.degraded", s: "verdict.skipped", i: "verdict.inconclusive" };
  const RANK = "fbidps";

  // The matrix --------------------------------------------------------------------------------------------------------
  const blocks = $$("#matrix .block").map((node) => ({ node, command: node.dataset.command, wasOpen: node.open, rows: [] }));
  const cells = [];
  const byAnchor = new Map();
  for (const block of blocks) {
    const heads = $$("thead tr:last-child th", block.node).slice(1).map((th) => ({ th, ...th.dataset }));
    block.heads = heads;
    $$("tbody tr", block.node).forEach((tr, order) => {
      const row = { tr, order, id: tr.dataset.s, text: tr.cells[0].textContent.toLowerCase(), cells: [] };
      for (let at = 1; at < tr.cells.length; at += 1) {
        const td = tr.cells[at];
        if (!td.className) continue;
        const head = heads[at - 1];
        const cell = { td, row, head, mark: td.className, block };
        td.tabIndex = -1;
        cells.push(cell);
        row.cells.push(cell);
        byAnchor.set(`${row.id}~${head.phone}`, cell);
        if (head.version) byAnchor.set(`${row.id}~${head.phone}~${head.version}`, cell);
      }
      block.rows.push(row);
    });
    const first = block.rows[0]?.cells[0];
    if (first) first.td.tabIndex = 0;
  }
  const cellOf = new Map(cells.map((cell) => [cell.td, cell]));

  const plain = (text) => [...new TextEncoder().encode(text)].map((byte) => {
    const c = String.fromCharCode(byte);
    return /[A-Za-z0-9/._-]/.test(c) ? c : "%" + byte.toString(16).toUpperCase().padStart(2, "0");
  }).join("");
  function address(cell) {
    const link = $("a", cell.td);
    if (link) return link.getAttribute("href").slice(6);
    return [cell.row.id, cell.head.phone, cell.head.version].map((part) => plain(part ?? "")).join("~");
  }

  // Where we are ------------------------------------------------------------------------------------------------------
  const form = $("#filters");
  const sheet = $("#sheet");
  function state() {
    const found = { q: "", verdict: [], family: "", command: "", sort: "", cell: "" };
    for (const part of location.hash.slice(1).split("&")) {
      const cut = part.indexOf("=");
      if (cut < 0) continue;
      const name = part.slice(0, cut);
      const value = part.slice(cut + 1);
      if (name === "cell") found.cell = value;
      else if (name === "verdict") found.verdict = value.split(",").filter((mark) => KEYS[mark]);
      else if (name in found) { try { found[name] = decodeURIComponent(value); } catch { /* a broken address is no filter */ } }
    }
    return found;
  }
  function go(next, replace) {
    const parts = [];
    for (const name of ["q", "family", "command", "sort"]) if (next[name]) parts.push(`${name}=${encodeURIComponent(next[name])}`);
    if (next.verdict.length) parts.push(`verdict=${next.verdict.join(",")}`);
    if (next.cell) parts.push(`cell=${next.cell}`);
    const hash = "#" + parts.join("&");
    if (hash === location.hash || (hash === "#" && !location.hash)) return;
    if (replace) history.replaceState(null, "", hash === "#" ? location.pathname + location.search : hash);
    else history.pushState(null, "", hash);
  }

  function filter() {
    if (!form) return;
    const now = state();
    const words = now.q.toLowerCase().split(/\s+/).filter(Boolean);
    const narrowed = words.length || now.verdict.length || now.family || now.command;
    let fit = 0;
    for (const block of blocks) {
      const there = !now.command || now.command === block.command;
      let shown = 0;
      for (const row of block.rows) {
        let any = false;
        for (const cell of row.cells) {
          const text = words.length ? `${row.text} ${cell.head.phone} ${cell.head.family} ${cell.head.th.title} ${say(KEYS[cell.mark])} ${remarks(cell)}`.toLowerCase() : "";
          const fits = there && (!now.verdict.length || now.verdict.includes(cell.mark)) && (!now.family || now.family === cell.head.family)
            && words.every((word) => text.includes(word));
          cell.td.classList.toggle("off", !fits);
          if (fits) { any = true; fit += 1; }
        }
        row.tr.hidden = !any;
        if (any) shown += 1;
      }
      for (const head of block.heads) head.th.classList.toggle("off", Boolean(now.family) && now.family !== head.family);
      block.node.hidden = !shown;
      block.node.open = narrowed ? shown > 0 : block.wasOpen;
      const worst = (row) => Math.min(...row.cells.map((cell) => RANK.indexOf(cell.mark)));
      const order = { worst: (a, b) => worst(a) - worst(b) || a.order - b.order, name: (a, b) => a.id.localeCompare(b.id) }[now.sort] ?? ((a, b) => a.order - b.order);
      if (block.sort !== now.sort) {
        block.sort = now.sort;
        const body = $("tbody", block.node);
        [...block.rows].sort(order).forEach((row) => body.append(row.tr));
      }
    }
    for (const body of $$(".overview tbody")) body.hidden = Boolean(now.family) && body.dataset.family !== now.family;
    $("#shown").textContent = narrowed ? say("filter.shown", { n: fit, all: cells.length }) : "";
    form.q.value = now.q;
    form.family.value = now.family;
    form.command.value = now.command;
    form.sort.value = now.sort;
    for (const box of form.elements.verdict.length === undefined ? [form.elements.verdict] : form.elements.verdict) box.checked = now.verdict.includes(box.value);
  }
  function remarks(cell) {
    return facts(cell).map(tell).join(" ");
  }
  function facts(cell) {
    const said = data.cells[cell.row.id] ?? {};
    const column = cell.head.version ? `${cell.head.phone}~${cell.head.version}` : Object.keys(said).find((key) => key.startsWith(`${cell.head.phone}~`));
    return (said[column] ?? []).map((place) => data.texts[place]).filter(Boolean);
  }

  // A cell by itself --------------------------------------------------------------------------------------------------
  function draw(cell, drawn) {
    const title = make("h2", "", { id: "sheet-title" });
    const mark = spoken("span", KEYS[cell.mark]);
    mark.className = `v ${cell.mark}`;
    title.append(mark, ` ${cell.head.th.title}${cell.head.version ? ` [${cell.head.version}]` : ""}`);
    const close = spoken("button", "cell.close");
    close.type = "button";
    close.addEventListener("click", () => sheet.close());
    const top = make("div", undefined, { class: "top" });
    top.append(title, close);
    const inside = make("div", undefined, { class: "inside" });
    const card = data.scenarios[cell.row.id];
    const name = make("p");
    name.append(make("code", cell.row.id));
    inside.append(name);
    if (card) {
      const [about, why, level, requirements] = card;
      inside.append(make("p", about, { lang: "en" }));
      if (why) {
        const line = make("p");
        line.append(spoken("b", "group.why"), " ", make("span", why, { lang: "en" }));
        inside.append(line);
      }
      const known = requirements.filter((id) => data.requirements[id]);
      if (known.length) {
        const head = spoken("h4", "cell.requirements");
        const list = make("ul", undefined, { class: "notes" });
        for (const id of known) {
          const item = make("li");
          const word = spoken("span", level);
          word.className = "level";
          item.append(make("code", id), " ", word, " ", make("span", data.requirements[id], { lang: "en" }));
          list.append(item);
        }
        inside.append(head, list);
      }
    }
    if (drawn) {
      const copy = $(".inside", drawn).cloneNode(true);
      for (const node of $$("[id]", copy)) node.removeAttribute("id");
      inside.append(...copy.childNodes);
    } else {
      const said = facts(cell);
      if (said.length) {
        const list = make("ul", undefined, { class: "notes" });
        for (const one of said) list.append(told("li", one));
        inside.append(list);
      } else if (cell.mark === "p") inside.append(spoken("p", "cell.passes"));
      if (data.show && cell.mark !== "s") {
        const line = make("p", undefined, { class: "show" });
        line.append(spoken("span", "cell.show"), " ", make("code", data.show + word(`${cell.row.id},${cell.head.phone}`)));
        inside.append(line);
      }
    }
    sheet.replaceChildren(top, inside);
  }
  const word = (text) => (/^[\p{L}\p{N}/._\-+,:=@]*$/u.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

  function show() {
    const { cell: wanted } = state();
    if (!wanted) {
      if (sheet.open) sheet.close();
      return;
    }
    const drawn = document.getElementById(`cell=${wanted}`);
    let named = wanted;
    try { named = decodeURIComponent(wanted); } catch { /* as it is */ }
    const cell = byAnchor.get(named) ?? byAnchor.get(named.split("~").slice(0, 2).join("~"));
    if (!cell) {
      if (drawn) { drawn.open = true; drawn.scrollIntoView(); } else $("#said").textContent = say("cell.gone");
      return;
    }
    draw(cell, drawn);
    if (!sheet.open) sheet.showModal();
    sheet.scrollTop = 0;
  }
  function open(cell) {
    go({ ...state(), cell: address(cell) });
    show();
  }
  sheet.addEventListener("close", () => {
    const now = state();
    const cell = cellOf.get(document.activeElement);
    if (now.cell) go({ ...now, cell: "" }, true);
    cell?.td.focus();
  });
  sheet.addEventListener("click", (event) => {
    if (event.target === sheet) sheet.close();
    const link = event.target.closest?.('a[href^="#cell="]');
    if (link) { event.preventDefault(); go({ ...state(), cell: link.getAttribute("href").slice(6) }); show(); }
  });

  // Hands -------------------------------------------------------------------------------------------------------------
  $("#matrix").addEventListener("click", (event) => {
    const cell = cellOf.get(event.target.closest("td"));
    if (!cell || event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    focus(cell);
    open(cell);
  });
  function focus(cell) {
    for (const row of cell.block.rows) for (const other of row.cells) if (other.td.tabIndex === 0) other.td.tabIndex = -1;
    cell.td.tabIndex = 0;
    cell.td.focus();
  }
  $("#matrix").addEventListener("keydown", (event) => {
    const cell = cellOf.get(event.target);
    if (!cell) return;
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (step) {
      event.preventDefault();
      let [tr, at] = [cell.td.parentNode, cell.td.cellIndex];
      for (;;) {
        at += step[0];
        if (step[1]) do tr = step[1] < 0 ? tr.previousElementSibling : tr.nextElementSibling; while (tr && tr.hidden);
        const next = tr?.cells[at];
        if (!next || at < 1) return;
        if (cellOf.has(next)) return focus(cellOf.get(next));
      }
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      open(cell);
    }
  });
  for (const link of $$("#matrix .grid a")) link.tabIndex = -1;

  if (form) {
    form.hidden = false;
    const read = () => ({
      ...state(), q: form.q.value, family: form.family.value, command: form.command.value, sort: form.sort.value,
      verdict: $$('input[name="verdict"]:checked', form).map((box) => box.value),
    });
    form.addEventListener("input", () => { go(read(), true); filter(); });
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", (event) => {
      event.preventDefault();
      go({ q: "", verdict: [], family: "", command: "", sort: "", cell: "" }, true);
      filter();
    });
    for (const block of blocks) $("summary", block.node).addEventListener("click", () => { block.wasOpen = !block.node.open; });
  }
  addEventListener("popstate", () => { filter(); show(); });
  addEventListener("hashchange", () => { filter(); show(); });

  easrig.begin(() => {
    for (const cell of cells) (cell.td.firstElementChild ?? cell.td).textContent = say(KEYS[cell.mark]);
    filter();
  });
  show();
})();
