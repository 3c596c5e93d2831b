// Keeping up with hfm: the status, then its events; when either is lost, both anew, after a while.

// A reading answers soon, or there is nobody; all of it may take as long as hfm gives a client, and a little.
const ANSWER_MS_MAX = 10000;
const READ_MS_MAX = 35000;
// Of the time so much goes into readings: a quarter.
const READ_SHARE = 4;
const RETRY_MS = [1000, 2000, 4000, 8000, 10000];
// Soon after an event, so that the rest of what it changed is seen as well.
const SOON_MS = 800;
// Browsers have six connections to a server, for all their tabs together. A hidden page leaves them to others, and keeps
// up its title alone, now and then.
const HIDDEN_MS = 30000;
// These tell of single runs, and a reading after each would be one without end.
const MINOR = new Set(["failed", "verdict", "output", "held-back", "completed", "held-down", "overstayed"]);

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
  // Of the last time that it was begun to connect.
  turn: 0,
  lost: 0,
  retry: 0,
  // When the next reading should be at the latest, by the monotonic clock.
  soon: Infinity,
};

// Seconds from one reading to the next.
function statusInterval() {
  return Math.max(2, model.entries.length / 500, READ_SHARE * live.took / 1000);
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
  let late = setTimeout(() => ends.abort(), ANSWER_MS_MAX);
  try {
    const response = await fetch("api/v1/status", { cache: "no-store", signal: ends.signal });
    if (!response.ok) return false;
    clearTimeout(late);
    late = setTimeout(() => ends.abort(), READ_MS_MAX);
    const text = await response.text();
    const came = performance.now();
    const status = JSON.parse(text);
    if (live.started !== null && live.started !== status.hfm.started) restarted(status);
    live.started = status.hfm.started;
    live.took = came - live.began;
    applyStatus(status);
    draw(came);
    return true;
  } catch {
    return false;
  } finally {
    clearTimeout(late);
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
  const turn = ++live.turn;
  const had = await readStatus();
  if (turn !== live.turn) return;
  if (!had) return again();
  if (document.hidden) return rest();
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
    if (!missed || source !== live.source || !(missed.count > 0)) return;
    live.last = Math.max(live.last, Number(message.lastEventId) || 0);
    log.missed += missed.count;
    note(`${count(missed.count, "event")} missed`);
    soon();
  });
  source.onmessage = (message) => {
    const event = parse(message.data);
    const id = Number(message.lastEventId);
    if (!event || source !== live.source || id <= live.last) return;
    live.last = id;
    // The failure before it, or the change behind it, says as much.
    if (event.event === "debounced") return;
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

function hangUp() {
  if (live.source) live.source.close();
  live.source = null;
  clearTimeout(live.timer);
}

// Nobody looks: until somebody does, a status now and then.
function rest() {
  hangUp();
  live.state = "wait";
  live.timer = setTimeout(connect, Math.max(HIDDEN_MS, statusInterval() * 1000));
  renderLink();
}

// The connection is lost: after a while all anew.
function again() {
  hangUp();
  if (live.state !== "lost") live.lost = Date.now();
  live.state = "lost";
  const wait = document.hidden ? HIDDEN_MS : RETRY_MS[Math.min(live.tries, RETRY_MS.length - 1)];
  live.tries += 1;
  live.retry = performance.now() + wait;
  live.timer = setTimeout(connect, wait);
  renderLink();
}

// Sets the timer of the next reading.
function plan() {
  if (!live.source || live.reading) return;
  clearTimeout(live.timer);
  const due = Math.min(live.began + statusInterval() * 1000, live.soon);
  live.timer = setTimeout(async () => {
    if (!live.source) return;
    if (await readStatus()) plan();
    else if (live.source) again();
  }, Math.max(0, due - performance.now()));
}

// Has a reading follow soon, unless readings take so long that they would never end.
function soon() {
  if (live.soon !== Infinity) return;
  live.soon = Math.max(performance.now() + SOON_MS, live.began + READ_SHARE * live.took);
  plan();
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) connect();
  else if (live.state !== "lost") rest();
});
