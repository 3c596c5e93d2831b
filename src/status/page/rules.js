// The rules in their groups, worst first. Rows exist only for groups that are open, and a hundred at a time.

const ROWS_AT_ONCE = 100;
// With so few rules nothing is folded.
const FEW_RULES = 60;

const view = { filter: "all", words: [], open: null };
// What the reader folded or opened by hand.
const folds = new Map();
// What was opened because it was in trouble: that stays open, as far as there is room.
const troubled = new Set();
const groupParts = new Map();
const shownEntries = [];

function choose(filter) {
  view.filter = filter;
  narrowed();
}

function seek(text) {
  view.words = text.toLowerCase().split(/\s+/).filter(Boolean);
  narrowed();
}

// The address of the page says what is shown, so that it can be passed on.
function narrowed() {
  for (const part of groupParts.values()) part.limit = ROWS_AT_ONCE;
  folds.clear();
  troubled.clear();
  const said = new URLSearchParams();
  if (view.filter !== "all") said.set("show", view.filter);
  if (view.words.length) said.set("search", view.words.join(" "));
  const hash = said.toString();
  history.replaceState(null, "", hash ? "#" + hash : location.pathname + location.search);
  draw();
}

function fits(entry, filter) {
  if (!filter.has(entry.data)) return false;
  return view.words.every((word) => entry.lower.includes(word) || textOf(entry).includes(word));
}

// What can be searched beside the name.
function textOf(entry) {
  const data = entry.data;
  if (entry.searched !== data) {
    entry.searched = data;
    const set = data.override;
    const of = [stateWord(data), data.test, data.reason, data.detail, data.blame, data.ended, set && set.kind, set && set.by, set && set.reason];
    entry.text = of.filter(Boolean).join("\n").toLowerCase();
  }
  return entry.text;
}

// The groups of what fits, each with its rules, worst first.
function gather() {
  const filter = FILTERS.find((one) => one.key === view.filter);
  const groups = new Map();
  for (const entry of model.entries) {
    if (!fits(entry, filter)) continue;
    let group = groups.get(entry.group);
    if (!group) {
      group = { name: entry.group, ranks: [[], [], [], [], []], size: 0 };
      groups.set(entry.group, group);
    }
    group.ranks[entry.rank].push(entry);
    group.size += 1;
  }
  const all = [...groups.values()];
  for (const group of all) {
    group.worst = group.ranks.findIndex((rank) => rank.length > 0);
    group.entries = group.ranks.flat();
  }
  return all.sort((a, b) => a.worst - b.worst || order.compare(a.name, b.name));
}

function groupPart(name) {
  let part = groupParts.get(name);
  if (part) return part;
  const node = clone("group-template");
  part = {
    node,
    button: node.querySelector("button.fold"),
    strip: node.querySelector(".strip"),
    words: node.querySelector("p"),
    rows: node.querySelector(".rows"),
    more: node.querySelector(".more"),
    limit: ROWS_AT_ONCE,
  };
  const label = name || "rules without a group";
  say(part.button.lastChild, label);
  put(part.rows, "aria-label", name ? "Rules of " + name : "Rules without a group");
  part.button.addEventListener("click", () => {
    folds.set(name, part.button.getAttribute("aria-expanded") !== "true");
    draw();
  });
  part.more.addEventListener("click", () => {
    part.limit += ROWS_AT_ONCE;
    draw();
  });
  groupParts.set(name, part);
  return part;
}

function groupWords(entries) {
  const of = (look) => entries.filter((entry) => entry.look === look).length;
  const stale = entries.filter((entry) => entry.data.stale).length;
  const set = entries.filter((entry) => entry.data.override).length;
  const said = [[of("down"), "down"], [of("unknown"), "unknown"], [of("up"), "up"], [stale, "stale"], [set, "overridden"]];
  return said.filter(([n]) => n > 0).map(([n, word]) => numbers.format(n) + " " + word).join(", ");
}

function isOpen(group, narrow, room) {
  const chosen = folds.get(group.name);
  if (chosen !== undefined) return chosen;
  const open = model.rules.get(view.open);
  if (open && open.group === group.name) return true;
  if (room <= 0) return false;
  if (narrow || model.entries.length <= FEW_RULES) return true;
  if (group.worst <= 2) troubled.add(group.name);
  return troubled.has(group.name);
}

// All that can have the focus among the rules, in its order.
function stops() {
  return [...byId("groups").querySelectorAll("button")].filter((button) => !button.hidden);
}

function renderRules() {
  if (!model.hfm) return;
  const focused = document.activeElement;
  const at = byId("groups").contains(focused) ? stops().indexOf(focused) : -1;
  const narrow = view.filter !== "all" || view.words.length > 0;
  const groups = gather();
  shownEntries.length = 0;
  let matches = 0;
  let room = 4 * ROWS_AT_ONCE;
  const nodes = groups.map((group) => {
    matches += group.size;
    const part = groupPart(group.name);
    // Many groups at once are not all drawn: what is by hand always is.
    const open = isOpen(group, narrow, room);
    if (!open) part.limit = ROWS_AT_ONCE;
    say(part.words, groupWords(group.entries));
    drawStrip(part.strip, group.entries);
    put(part.strip, "aria-label", groupWords(group.entries));
    put(part.button, "aria-expanded", String(open));
    put(part.node, "data-worst", String(group.worst));
    hide(part.rows, !open);
    const shown = open ? group.entries.slice(0, part.limit) : [];
    // What was asked for beyond these folds no other group.
    room -= Math.min(shown.length, ROWS_AT_ONCE);
    renderRows(part, shown);
    const left = open ? group.size - shown.length : 0;
    hide(part.more, left === 0);
    if (left) say(part.more, `Show ${numbers.format(Math.min(left, ROWS_AT_ONCE))} more of ${numbers.format(left)}`);
    return part.node;
  });
  arrange(byId("groups"), nodes);
  dropGroups();
  // What had the focus is not shown any more: what has come to its place gets it.
  if (at >= 0 && (!focused.isConnected || focused.hidden)) {
    const left = stops();
    (left[Math.min(at, left.length - 1)] || byId("search")).focus({ preventScroll: true });
  }
  const none = byId("none");
  hide(none, matches > 0 || model.entries.length === 0);
  if (matches === 0) say(none, view.words.length ? "No rule matches that." : "No rule is like that.");
  say(byId("shown"), narrow ? `${numbers.format(matches)} of ${numbers.format(model.entries.length)}` :
    `${numbers.format(model.entries.length)} in ${count(groups.length, "group")}`);
  const anyOpen = groups.some((group) => groupPart(group.name).button.getAttribute("aria-expanded") === "true");
  const fold = byId("fold");
  hide(fold, groups.length < 2);
  say(fold, anyOpen ? "Fold all" : "Open all");
}

function renderRows(part, entries) {
  const nodes = [];
  for (const entry of entries) {
    if (!entry.row) entry.row = makeRow(entry);
    updateRow(entry);
    shownEntries.push(entry);
    nodes.push(entry.row.node);
    const isOpen = view.open === entry.name;
    put(entry.row.button, "aria-expanded", String(isOpen));
    if (isOpen) nodes.push(renderDetail(entry));
  }
  arrange(part.rows, nodes, part.rows.firstElementChild);
}

// Parts of groups that no rule is in any more, and rows of rules that are not shown, are let go.
function dropGroups() {
  const kept = new Set(model.entries.map((entry) => entry.group));
  for (const name of groupParts.keys()) if (!kept.has(name)) groupParts.delete(name);
  const shown = new Set(shownEntries);
  for (const entry of model.entries) if (entry.row && !shown.has(entry)) entry.row = null;
}

function foldAll() {
  const open = byId("fold").textContent === "Open all";
  for (const entry of model.entries) folds.set(entry.group, open);
  draw();
}
