// The log as it happens, newest first. The list is bounded, drawn at most once a frame, and can be held still.

const EVENTS_SHOWN = 200;
const log = { paused: false, words: [], held: 0, missed: 0, drawn: null };

function eventTime(event) {
  const time = Date.parse(event.time) / 1000;
  return Number.isNaN(time) ? "" : clock(time);
}

function listed(value) {
  return Array.isArray(value) ? some(value.map(String), 5) : "";
}

// What is worth better words than the line of the log has; that is in the title.
function eventWords(event) {
  const detail = event.detail ? ": " + event.detail : "";
  switch (event.event) {
    case "change":
      return `${event.rule} is ${event.state === "fail" ? "down" : event.state === "success" ? "up" : event.state}${event.state === "fail" ? detail : ""}`;
    case "failed":
      return `${event.rule} failed${detail}`;
    case "table-written": {
      const parts = [listed(event.added) && "in: " + listed(event.added), listed(event.removed) && "out: " + listed(event.removed)];
      return `table ${event.table} ${event.dry_run ? "would be written (dry run)" : "written"}, ${parts.filter(Boolean).join("; ") || "nothing new"}`;
    }
    case "override-set":
      return `${event.rule} is set to ${event.override}${event.by ? " by " + event.by : ""}${event.reason ? ": " + event.reason : ""}`;
    case "override-cleared":
      return `${event.rule} is no longer ${event.override}${event.by ? ", by " + event.by : ""}`;
    default: {
      const message = String(event.message || event.event || "an event");
      return event.detail && !message.includes(event.detail) ? message + detail : message;
    }
  }
}

// The same of an event that came again and again.
function keptWords(kept) {
  const words = eventWords(kept.event);
  return kept.times > 1 ? `${words}, ${numbers.format(kept.times)} times until ${eventTime(kept.until)}` : words;
}

const LEVELS = { error: "down", warn: "unknown", info: "up", debug: "wait", trace: "wait", page: "ended" };

// By what happened rather than by the level, where that says more.
function eventLook(event) {
  if (event.event === "change") return event.state === "fail" ? "down" : event.state === "success" ? "up" : "unknown";
  if (event.event === "failed") return "down";
  return LEVELS[event.level] === "up" ? "wait" : LEVELS[event.level] || "wait";
}

// Something that this page has to say itself.
function note(text) {
  applyEvent(0, { time: new Date(serverNow() * 1000).toISOString(), level: "page", message: text });
  tell();
}

function tell() {
  if (log.paused) log.held += 1;
  draw();
}

function makeEvent(kept) {
  const event = kept.event;
  const node = make("li");
  put(node, "data-look", event.level === "page" ? "page" : eventLook(event));
  const svg = document.createElementNS(SVG, "svg");
  for (const [name, value] of [["class", "shape"], ["viewBox", "0 0 12 12"], ["aria-hidden", "true"]]) svg.setAttribute(name, value);
  svg.append(document.createElementNS(SVG, "path"));
  shape(svg.firstChild, eventLook(event));
  const words = make("span", "data", keptWords(kept));
  if (event.level === "error") words.prepend(make("b", "", "error "));
  node.append(make("time", "", eventTime(event)), svg, words);
  put(node, "title", [event.event, event.message].filter(Boolean).join(": "));
  return node;
}

function fitsEvent(kept) {
  if (log.words.length === 0) return true;
  if (!kept.lower) kept.lower = (eventWords(kept.event) + "\n" + Object.values(kept.event).join("\n")).toLowerCase();
  return log.words.every((word) => kept.lower.includes(word));
}

function renderEvents() {
  const parts = [];
  if (log.paused) parts.push(`paused${log.held ? `, ${numbers.format(log.held)} newer` : ""}`);
  if (log.missed) parts.push(`${numbers.format(log.missed)} missed`);
  say(byId("events-words"), parts.join(", "));
  if (log.paused && log.drawn) return;
  log.drawn = true;
  const nodes = [];
  for (const kept of model.events) {
    if (nodes.length === EVENTS_SHOWN && log.words.length === 0) break;
    if (!fitsEvent(kept)) continue;
    if (!kept.node) kept.node = makeEvent(kept);
    nodes.push(kept.node);
  }
  if (nodes.length === 0) nodes.push(make("li", "none", model.events.length ? "No event matches that." : "Nothing has happened yet."));
  arrange(byId("event-list"), nodes);
}

function pauseEvents() {
  log.paused = !log.paused;
  log.held = 0;
  const button = byId("pause");
  put(button, "aria-pressed", String(log.paused));
  say(button, log.paused ? "Go on" : "Pause");
  draw();
}

function seekEvents(text) {
  log.words = text.toLowerCase().split(/\s+/).filter(Boolean);
  log.drawn = null;
  draw();
}
