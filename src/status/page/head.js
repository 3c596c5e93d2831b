// The head: is everything well, in one sentence; the connection; what can be filtered by.

const NAMES_MAX = 5;
// Whoever is out for one of these is where it belongs.
const RESTS = new Set(["backup stands by", "no rule has a say"]);

function tableTrouble(table) {
  if (table.error) return `table ${table.table} cannot be read or written`;
  if (table.actual === null) return `table ${table.table} was not read yet`;
  if (table.held > 0) return `table ${table.table} ${table.actual} of ${table.managed}, ${table.held} held`;
  const astray = (one) => one.wanted !== null && one.wanted !== one.actual;
  const out = (one) => one.actual === false && !RESTS.has(one.why);
  return table.addresses.some((one) => astray(one) || out(one)) ? `table ${table.table} ${table.actual} of ${table.managed}` : null;
}

// The sentence, and how grave it is: `good`, `odd` or `bad`.
function verdictOfAll() {
  const all = model.entries;
  if (all.length === 0) return { tone: "odd", words: "hfm runs, and has no rules." };
  const down = all.filter((entry) => entry.look === "down").sort((a, b) => a.rank - b.rank);
  const unknown = all.filter((entry) => entry.look === "unknown" && !entry.data.ended);
  const broken = all.filter((entry) => entry.look !== "down" && entry.data.ended === "cannot-start");
  const stale = all.filter((entry) => entry.data.stale);
  const name = (entry) => entry.data.override && entry.look === "down" ? `${entry.name} (${entry.data.override.kind})` : entry.name;
  const parts = [];
  if (down.length) parts.push(`${numbers.format(down.length)} of ${count(all.length, "rule")} down: ${some(down.map(name), NAMES_MAX)}`);
  if (broken.length) parts.push(`${numbers.format(broken.length)} cannot be started: ${some(broken.map(name), NAMES_MAX)}`);
  if (unknown.length) parts.push(`${numbers.format(unknown.length)} not known yet: ${some(unknown.map(name), NAMES_MAX)}`);
  if (stale.length) parts.push(`${numbers.format(stale.length)} stale: ${some(stale.map(name), NAMES_MAX)}`);
  const tables = model.tables.map(tableTrouble).filter((words) => words !== null);
  if (tables.length) parts.push(some(tables, 3));
  const bad = down.some((entry) => entry.rank === 0) || model.tables.some((table) => table.error) || model.health.length > 0;
  const tone = bad ? "bad" : parts.length ? "odd" : "good";
  if (parts.length) {
    const [first, ...rest] = parts;
    return { tone, words: first[0].toUpperCase() + first.slice(1) + ".", more: rest.length ? rest.join("; ") + "." : "" };
  }
  const up = all.filter((entry) => entry.look === "up").length;
  const rules = up < all.length ? `${numbers.format(up)} of ${count(all.length, "rule")} up, the rest is not tested`
    : all.length === 1 ? "The one rule is up" : `${allOf(all.length, "rule")} are up`;
  const whole = model.tables.length === 0 ? "" : model.tables.length === 1 ? ", and the table is whole" : `, and ${allOf(model.tables.length, "table").toLowerCase()} are whole`;
  return { tone, words: model.health.length ? "hfm itself is not well." : rules + whole + "." };
}

const TONES = { good: "up", odd: "unknown", bad: "down", wait: "wait" };
const TINTS = { good: "#1f8a55", odd: "#b07d00", bad: "#c4342b", wait: "#6b7785" };
// What is seen of the page in a row of tabs.
const tab = { tone: "wait", words: "" };

function renderHead() {
  if (!model.hfm) return;
  const { tone, words, more } = verdictOfAll();
  const host = model.hfm.host || "hfm";
  put(byId("head"), "data-tone", tone);
  shape(byId("tone"), TONES[tone]);
  say(byId("host"), host);
  say(byId("headline-first"), words);
  say(byId("headline-more"), more ? " " + more : "");
  const down = model.entries.filter((entry) => entry.look === "down").length;
  Object.assign(tab, { tone, words: down ? count(down, "down", "down") : tone === "good" ? "all up" : "look" });
  renderTab();
  const list = byId("health");
  hide(list, model.health.length === 0);
  arrange(list, model.health.map((reason, index) => {
    const item = list.children[index] || make("li", "data");
    say(item, String(reason));
    return item;
  }));
  renderCounts();
}

// Of an hfm that does not answer nothing is known.
function renderTab() {
  const lost = live.state === "lost";
  const title = [lost ? "no answer" : tab.words, model.hfm && (model.hfm.host || "hfm"), "hfm"].filter(Boolean).join(" · ");
  if (document.title !== title) document.title = title;
  const tone = lost ? "wait" : tab.tone;
  const icon = `<svg xmlns="${SVG}" viewBox="0 0 12 12"><path fill="${TINTS[tone]}" fill-rule="evenodd" d="${SHAPES[TONES[tone]]}"/></svg>`;
  put(byId("icon"), "href", "data:image/svg+xml," + encodeURIComponent(icon));
}

const countButtons = new Map();

function renderCounts() {
  const box = byId("counts");
  for (const filter of FILTERS) {
    let button = countButtons.get(filter.key);
    if (!button) {
      button = make("button", "count");
      button.type = "button";
      button.dataset.filter = filter.key;
      if (filter.shape) {
        const svg = document.createElementNS(SVG, "svg");
        for (const [name, value] of [["class", "shape"], ["viewBox", "0 0 12 12"], ["aria-hidden", "true"]]) svg.setAttribute(name, value);
        svg.append(document.createElementNS(SVG, "path"));
        shape(svg.firstChild, filter.shape);
        button.append(svg);
      }
      button.append(make("b"), make("span", "", " " + filter.words));
      button.addEventListener("click", () => choose(filter.key === view.filter ? "all" : filter.key));
      countButtons.set(filter.key, button);
      box.append(button);
    }
    const number = filter.key === "all" ? model.entries.length : model.entries.filter((entry) => filter.has(entry.data)).length;
    say(button.querySelector("b"), numbers.format(number));
    put(button, "aria-pressed", String(view.filter === filter.key));
    button.classList.toggle("zero", number === 0);
  }
}

// What changes with every second.
function renderAbout() {
  if (!model.hfm) return;
  const hfm = model.hfm;
  const age = serverNow() - hfm.now;
  const old = age > 2 * statusInterval() + 5;
  document.body.classList.toggle("old", old);
  const note = byId("old");
  hide(note, !old);
  if (old) say(note, `What is shown is ${span(age)} old, of ${moment(hfm.now)}.`);
  const parts = [
    `hfm ${hfm.version}`,
    `running for ${span(serverNow() - hfm.started)}`,
    (hfm.dataplane || "no tables") + (hfm.dry_run ? " (dry run: nothing is written)" : ""),
    `updated ${clock(hfm.now)}`,
  ];
  say(byId("about"), parts.join(" · "));
}

function renderLink() {
  const words = byId("link-words");
  put(byId("link"), "data-link", live.state);
  if (live.state === "live") {
    say(words, "live");
    shape(byId("link-shape"), "up");
  } else if (live.state === "lost") {
    const left = Math.ceil((live.retry - performance.now()) / 1000);
    say(words, `reconnecting since ${clock(live.lost / 1000)}` + (left > 0 ? `, again in ${left} s` : ""));
    shape(byId("link-shape"), "down");
  } else {
    say(words, "connecting");
    shape(byId("link-shape"), "wait");
  }
  renderTab();
}

function renderMonitor() {
  const stats = model.stats;
  if (!stats) return;
  const hfm = model.hfm;
  const late = (key) => micros(stats[key]);
  facts(byId("monitor-facts"), [
    ["Configuration", hfm.config],
    ["Process", `${hfm.pid}, since ${moment(hfm.started)}`],
    ["Runs", `${numbers.format(stats.runs)}, ${numbers.format(stats.failures)} failed, ${numbers.format(stats.inconclusive)} inconclusive`],
    ["Missed slots", numbers.format(stats.missed)],
    ["In flight", numbers.format(stats.in_flight)],
    ["Starts late by", `p50 ${late("late_p50_us")}, p99 ${late("late_p99_us")}, at most ${late("late_max_us")}`],
    ["Turns take", `p50 ${late("turn_p50_us")}, p99 ${late("turn_p99_us")}, at most ${late("turn_max_us")}`],
    ["Reloads", numbers.format(stats.reloads)],
    ["Demotion", stats.demotion && `${stats.demotion.total}${stats.demotion.lost ? ", its helper is gone: restart hfm" : ""}${stats.dry_run ? ", not written (dry run)" : ""}`],
    ["Log", `${stats.log_level}, ${count(stats.dropped_lines, "line")} dropped`],
  ]);
}
