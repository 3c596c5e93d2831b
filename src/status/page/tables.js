// The tables: who should be in, who is, and why.

const ADDRESSES_AT_ONCE = 40;
const FEW_ADDRESSES = 8;
const tableParts = new Map();

function addressWords(one) {
  const is = one.actual === null ? "not known whether in" : one.actual ? "in" : "out";
  const should = one.wanted === null || one.wanted === one.actual ? "" : one.wanted ? ", should be in" : ", should be out";
  return `${is}${should}${one.why ? ": " + one.why : ""}`;
}

function addressLook(one) {
  if (one.held) return "override";
  if (one.actual === null) return "unknown";
  if (one.wanted !== null && one.wanted !== one.actual) return "stale";
  if (RESTS.has(one.why)) return "wait";
  return one.actual ? "up" : "down";
}

const ADDRESS_RANK = { stale: 0, down: 1, override: 2, unknown: 3, wait: 4, up: 5 };

function tablePart(name) {
  let part = tableParts.get(name);
  if (part) return part;
  const node = make("article", "table");
  const title = make("h3");
  const fold = make("button", "fold");
  fold.type = "button";
  const arrow = clone("group-template").querySelector(".arrow");
  fold.append(arrow, make("span", "data", name));
  title.append(fold);
  part = {
    node, fold,
    words: make("p", "sum"),
    error: make("p", "trouble data"),
    facts: make("p", "quiet"),
    list: make("ul", "addresses"),
    more: make("button", "more"),
    open: null,
    all: false,
    rows: new Map(),
  };
  part.more.type = "button";
  fold.addEventListener("click", () => {
    part.open = fold.getAttribute("aria-expanded") !== "true";
    draw();
  });
  part.more.addEventListener("click", () => {
    part.all = true;
    draw();
  });
  node.append(title, part.words, part.error, part.facts, part.list, part.more);
  tableParts.set(name, part);
  return part;
}

function renderTables() {
  if (!model.hfm) return;
  hide(byId("tables"), model.tables.length === 0);
  const troubles = new Map(model.tables.map((table) => [table, tableTrouble(table)]));
  const sorted = [...model.tables].sort((a, b) =>
    (troubles.get(a) === null) - (troubles.get(b) === null) || order.compare(a.table, b.table));
  say(byId("tables-words"), count(model.tables.length, "table") + (model.hfm.dry_run ? ", dry run" : ""));
  const kept = new Set(model.tables.map((table) => table.table));
  for (const name of tableParts.keys()) if (!kept.has(name)) tableParts.delete(name);
  arrange(byId("table-list"), sorted.map((table) => renderTable(table, troubles.get(table) !== null)));
}

function renderTable(table, trouble) {
  const part = tablePart(table.table);
  const open = part.open === null ? trouble || table.addresses.length <= FEW_ADDRESSES : part.open;
  put(part.fold, "aria-expanded", String(open));
  put(part.node, "data-look", table.error ? "down" : trouble ? "odd" : "up");
  say(part.words, table.actual === null ? "not read yet" : `${numbers.format(table.actual)} of ${numbers.format(table.managed)} ${table.dry_run ? "would be in" : "in"}`);
  hide(part.error, !table.error);
  if (table.error) {
    const again = table.retry === null ? "" : table.retry > serverNow() ? `; tried again in ${span(table.retry - serverNow() + 0.5)}` : "; being tried again";
    say(part.error, table.error + again);
  }
  const said = [`${numbers.format(table.wanted)} wanted`];
  if (table.held) said.push(`${numbers.format(table.held)} held although down`);
  if (table.others) said.push(`${count(table.others, "other")} not ours`);
  if (table.repairs) said.push(count(table.repairs, "repair"));
  said.push(table.dry_run ? "dry run: nothing is written" : table.written === null ? "not written yet" : `written ${span(serverNow() - table.written)} ago`, table.dataplane);
  say(part.facts, said.join(" · "));
  hide(part.list, !open);
  const ranked = open ? table.addresses.map((one) => ({ one, look: addressLook(one) })) : [];
  ranked.sort((a, b) => ADDRESS_RANK[a.look] - ADDRESS_RANK[b.look] || order.compare(a.one.address, b.one.address));
  const shown = part.all ? ranked : ranked.slice(0, ADDRESSES_AT_ONCE);
  const rows = new Map();
  arrange(part.list, shown.map(({ one, look }) => {
    const row = part.rows.get(one.address) || makeAddress(one);
    rows.set(one.address, row);
    put(row.node, "data-look", look);
    shape(row.path, look);
    say(row.why, addressWords(one));
    put(row.node, "title", one.rules.length ? "by " + some(one.rules, 10) : "");
    return row.node;
  }));
  part.rows = rows;
  const left = ranked.length - shown.length;
  hide(part.more, left === 0);
  if (left) say(part.more, `Show the other ${numbers.format(left)}`);
  return part.node;
}

function makeAddress(one) {
  const node = make("li");
  const svg = document.createElementNS(SVG, "svg");
  for (const [name, value] of [["class", "shape"], ["viewBox", "0 0 12 12"], ["aria-hidden", "true"]]) svg.setAttribute(name, value);
  const path = document.createElementNS(SVG, "path");
  svg.append(path);
  const why = make("span", "quiet data");
  node.append(svg, make("code", "data", one.address), " ", why);
  return { node, path, why };
}
