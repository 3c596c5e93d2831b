// What is known: the last status, and the events since.

const EVENTS_KEPT = 500;
const model = {
  hfm: null,
  stats: null,
  health: [],
  tables: [],
  // By name, and in the order of names.
  rules: new Map(),
  entries: [],
  // Newest first.
  events: [],
  // Changes, of rules and of tables, that a status which was begun earlier does not have yet.
  changes: [],
  event: 0,
  // When the last status came, by this machine's monotonic clock, in ms.
  received: 0,
};

// The time at hfm, whatever this machine's clock says.
function serverNow() {
  if (!model.hfm) return Date.now() / 1000;
  return model.hfm.now + (performance.now() - model.received) / 1000;
}

function entryOf(name) {
  const cut = name.lastIndexOf("/");
  return {
    name,
    group: cut < 0 ? "" : name.slice(0, cut),
    leaf: name.slice(cut + 1),
    lower: name.toLowerCase(),
    data: null,
    look: "unknown",
    rank: 2,
    row: null,
  };
}

// Takes a status over. What is shown of a rule follows from its entry alone.
function applyStatus(status) {
  model.hfm = status.hfm;
  model.stats = status.stats || null;
  model.health = status.health || [];
  model.tables = status.tables || [];
  model.event = status.event;
  model.received = performance.now();
  let other = status.rules.length !== model.rules.size;
  const seen = new Set();
  for (const data of status.rules) {
    let entry = model.rules.get(data.rule);
    if (!entry) {
      entry = entryOf(data.rule);
      model.rules.set(data.rule, entry);
      other = true;
    }
    seen.add(data.rule);
    entry.data = data;
    judge(entry);
  }
  if (other) {
    for (const name of model.rules.keys()) if (!seen.has(name)) model.rules.delete(name);
    model.entries = [...model.rules.values()].sort((a, b) => order.compare(a.name, b.name));
  }
  model.changes = model.changes.filter((change) => change.id > status.event);
  for (const { event } of model.changes) APPLIED[event.event](event);
}

// How a rule looks, and how far up it belongs: 0 is worst.
function judge(entry) {
  const data = entry.data;
  const set = data.override;
  if (data.state === "fail") {
    entry.look = "down";
    entry.rank = set ? 3 : 0;
  } else if (data.state === "success") {
    entry.look = "up";
    entry.rank = data.stale ? 2 : set ? 3 : 4;
  } else {
    entry.look = "unknown";
    entry.rank = data.ended === "disabled" ? 4 : 1;
  }
}

// A change of state, before the next status tells it with all the rest.
function applyChange(event) {
  const entry = model.rules.get(event.rule);
  if (!entry) return;
  const same = entry.data.state === event.state;
  const time = Date.parse(event.time) / 1000;
  entry.data = {
    ...entry.data,
    state: event.state,
    since: same || Number.isNaN(time) ? entry.data.since : time,
    reason: event.reason === undefined ? entry.data.reason : event.reason,
    detail: event.detail === undefined ? entry.data.detail : event.detail,
    blame: null,
  };
  judge(entry);
}

// The same for a table that was written: who is in. Why is for the next status to say.
function applyWritten(event) {
  const table = model.tables.find((one) => one.table === event.table);
  if (!table || event.dry_run) return;
  for (const [addresses, isIn] of [[event.added, true], [event.removed, false]]) {
    const those = new Set(Array.isArray(addresses) ? addresses : []);
    for (const one of table.addresses) {
      if (!those.has(one.address) || one.actual === isIn) continue;
      if (table.actual !== null && one.actual !== null) table.actual += isIn ? 1 : -1;
      if (one.wanted !== isIn) table.wanted += isIn ? 1 : -1;
      Object.assign(one, { actual: isIn, wanted: isIn, held: false, why: "" });
    }
  }
  const time = Date.parse(event.time) / 1000;
  if (!Number.isNaN(time)) table.written = time;
}

const APPLIED = { "change": applyChange, "table-written": applyWritten };

function applyEvent(id, event) {
  keepEvent(id, event);
  if (Object.hasOwn(APPLIED, event.event) && id > model.event) {
    model.changes.push({ id, event });
    if (model.changes.length > 2 * EVENTS_KEPT) model.changes.shift();
    APPLIED[event.event](event);
  }
}

// A rule that is down fails again and again: as long as nothing else happens to it, that is one event, with how often
// and until when. All else would soon be out of sight.
function keepEvent(id, event) {
  const before = event.event === "failed" ? model.events.find((kept) => kept.event.rule === event.rule) : undefined;
  if (before && before.event.event === "failed" && before.event.detail === event.detail) {
    before.times += 1;
    before.until = event;
    before.node = null;
    return;
  }
  model.events.unshift({ id, event, times: 1, until: event, lower: "", node: null });
  if (model.events.length > EVENTS_KEPT) model.events.length = EVENTS_KEPT;
}

function forget() {
  model.rules.clear();
  model.entries = [];
  model.changes = [];
}

// What the counts count, by which the rules can be filtered.
const FILTERS = [
  { key: "all", words: "all", shape: null, has: () => true },
  { key: "down", words: "down", shape: "down", has: (data) => data.state === "fail" },
  { key: "unknown", words: "unknown", shape: "unknown", has: (data) => data.state !== "fail" && data.state !== "success" },
  { key: "stale", words: "stale", shape: "stale", has: (data) => data.stale },
  { key: "override", words: "overridden", shape: "override", has: (data) => data.override !== null && data.override !== undefined },
];
