// Keeping up with hfm: the status, then its events; when either is lost, both anew, after a while.

const READ_MS_MAX = 10000;
const RETRY_MS = [1000, 2000, 4000, 8000, 10000];
// Soon after an event, so that the rest of what it changed is seen as well.
const SOON_MS = 800;
// These tell of single runs, and a reading after each would be one without end.
const MINOR = new Set(["failed", "verdict", "debounced", "output", "held-back", "completed", "held-down", "overstayed"]);

const live = {
  // `wait`, `live` or `lost`.
  state: "wait",
  source: null,
  last: 0,
  started: null,
  reading: null,
  began: 0,
  took: 0,
  timer: 0,
  tries: 0,
  lost: 0,
  retry: 0,
  // When the next reading should be at the latest, by the monotonic clock.
  soon: Infinity,
};

// Seconds from one reading to the next.
function statusInterval() {
  return Math.max(2, model.entries.length / 500);
}

// Reads the status; never twice at a time. Whether it was had.
function readStatus() {
  if (!live.reading) live.reading = readOnce().finally(() => { live.reading = null; });
  return live.reading;
}

async function readOnce() {
  clearTimeout(live.timer);
  live.began = performance.now();
  live.soon = Infinity;
  const ends = new AbortController();
  const late = setTimeout(() => ends.abort(), READ_MS_MAX);
  try {
    const response = await fetch("api/v1/status", { cache: "no-store", signal: ends.signal });
    if (!response.ok) return false;
    const text = await response.text();
    const came = performance.now();
    const status = JSON.parse(text);
    if (live.started !== null && live.started !== status.hfm.started) restarted(status);
    live.started = status.hfm.started;
    applyStatus(status);
    draw(came);
    return true;
  } catch {
    return false;
  } finally {
    clearTimeout(late);
    live.took = performance.now() - live.began;
  }
}

// Another process of hfm: its numbers of events begin anew, and nothing of the old one holds.
function restarted(status) {
  forget();
  live.last = 0;
  note(`hfm was restarted; it now runs as process ${status.hfm.pid}`);
}

async function connect() {
  clearTimeout(live.timer);
  if (!(await readStatus())) return again();
  // The first time it begins with what hfm still keeps of what was before.
  const after = live.last || Math.max(0, model.event - EVENTS_KEPT);
  listen(after);
  plan();
}

function listen(after) {
  if (live.source) live.source.close();
  const source = new EventSource("api/v1/events?after=" + after);
  live.source = source;
  source.onopen = () => {
    if (source !== live.source) return;
    live.state = "live";
    live.tries = 0;
    renderLink();
  };
  source.onerror = () => {
    if (source === live.source) again();
  };
  source.addEventListener("hello", (message) => {
    const hello = parse(message.data);
    // It was restarted between the reading and this.
    if (hello && source === live.source && hello.started !== live.started) connect();
  });
  source.addEventListener("missed", (message) => {
    const missed = parse(message.data);
    if (!missed || !(missed.count > 0)) return;
    log.missed += missed.count;
    note(`${count(missed.count, "event")} missed`);
    soon();
  });
  source.onmessage = (message) => {
    const event = parse(message.data);
    const id = Number(message.lastEventId);
    if (!event || source !== live.source || id <= live.last) return;
    live.last = id;
    applyEvent(id, event);
    tell();
    if (id > model.event && !MINOR.has(event.event)) soon();
  };
}

function parse(text) {
  try {
    const value = JSON.parse(text);
    return value && typeof value === "object" ? value : null;
  } catch {
    return null;
  }
}

// The connection is lost: after a while all anew.
function again() {
  if (live.source) live.source.close();
  live.source = null;
  clearTimeout(live.timer);
  if (live.state !== "lost") live.lost = Date.now();
  live.state = "lost";
  const wait = RETRY_MS[Math.min(live.tries, RETRY_MS.length - 1)];
  live.tries += 1;
  live.retry = performance.now() + wait;
  live.timer = setTimeout(() => {
    // Nobody looks; `visibilitychange` goes on with it.
    if (!document.hidden) connect();
  }, wait);
  renderLink();
}

// Sets the timer of the next reading.
function plan() {
  if (!live.source || live.reading) return;
  clearTimeout(live.timer);
  const due = Math.min(live.began + statusInterval() * 1000, live.soon);
  live.timer = setTimeout(async () => {
    if (document.hidden || !live.source) return;
    if (await readStatus()) plan();
    else again();
  }, Math.max(0, due - performance.now()));
}

// Has a reading follow soon, unless readings take so long that they would never end.
function soon() {
  if (live.soon !== Infinity) return;
  live.soon = Math.max(performance.now() + SOON_MS, live.began + 4 * live.took);
  plan();
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  live.soon = 0;
  if (live.source) plan();
  else connect();
});
