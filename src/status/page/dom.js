// Elements. Text from outside becomes text nodes and attributes, never markup.

const SVG = "http://www.w3.org/2000/svg";
const byId = (id) => document.getElementById(id);

function make(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

// Each writes only what differs: most of a page stays as it is from one status to the next.
function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
function put(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}
function hide(node, hidden) {
  if (node.hidden !== hidden) node.hidden = hidden;
}

function clone(template) {
  return byId(template).content.firstElementChild.cloneNode(true);
}

// Puts the children into this order behind `first`, moves as few as it can, and keeps the focus where it was.
function arrange(parent, children, first) {
  const focused = document.activeElement;
  let at = first ? first.nextSibling : parent.firstChild;
  const wanted = new Set(children);
  while (at && !wanted.has(at)) at = remove(at);
  for (const child of children) {
    if (child === at) at = at.nextSibling;
    else parent.insertBefore(child, at);
    while (at && !wanted.has(at)) at = remove(at);
  }
  if (focused && focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
}

function remove(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}

// A shape for each state, so that none is told by colour alone: 12 by 12.
const SHAPES = {
  up: "M6 1.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9z",
  down: "M.5 1.5h11L6 11z",
  unknown: "M6 .5L11.5 6L6 11.5L.5 6zM6 3L3 6l3 3l3-3z",
  stale: "M1.5 1h9v1.6L7.4 6l3.1 3.4V11h-9V9.4L4.6 6L1.5 2.6z",
  override: "M2 1.5h3v9H2zM7 1.5h3v9H7z",
  ended: "M1.5 5h9v2h-9z",
  wait: "M1 5h2.4v2H1zM4.8 5h2.4v2H4.8zM8.6 5H11v2H8.6z",
};

function shape(path, name) {
  put(path, "d", SHAPES[name] || SHAPES.unknown);
  put(path, "fill-rule", "evenodd");
}

// Rows of a definition list, kept by their term.
function facts(list, rows) {
  const kept = list.kept || (list.kept = new Map());
  const nodes = [];
  for (const [term, text] of rows) {
    if (text === null || text === undefined || text === "") continue;
    let row = kept.get(term);
    if (!row) {
      row = make("div");
      row.append(make("dt", "", term), make("dd", "data"));
      kept.set(term, row);
    }
    say(row.lastChild, text);
    nodes.push(row);
  }
  arrange(list, nodes);
}
