// Everything about one rule, below its row.

const DETAIL_EVENTS = 8;
const detail = { name: null, node: null };

function toggleDetail(name) {
  view.open = view.open === name ? null : name;
  draw();
}

// Closes what is open, and gives the focus back to its row.
function closeDetail() {
  const entry = model.rules.get(view.open);
  view.open = null;
  drawNow();
  if (entry && entry.row) entry.row.button.focus();
}

function makeDetail(entry) {
  const node = make("div", "open");
  node.setAttribute("role", "row");
  const cell = make("div", "sheet");
  cell.setAttribute("role", "cell");
  cell.setAttribute("aria-colspan", "7");
  const id = "detail";
  node.id = id;
  const over = make("div", "over");
  const close = make("button", "plain", "Close");
  close.type = "button";
  close.addEventListener("click", closeDetail);
  over.append(make("h4", "data", entry.name), close);
  const graphs = make("div", "graphs");
  for (const [kind, words] of [["spark", "Last runs, newest on the right"], ["avail", "Availability, newest on the right"]]) {
    const figure = make("figure", kind);
    const svg = clone("row-template").querySelector(`.${kind} svg`);
    figure.append(svg, make("figcaption", "quiet", words));
    graphs.append(figure);
  }
  const lists = [make("dl", "facts"), make("h5", "", "In tables"), make("ul", "lines"), make("h5", "", "Last events"), make("ol", "lines")];
  cell.append(over, lists[0], graphs, ...lists.slice(1));
  node.append(cell);
  Object.assign(detail, {
    name: entry.name,
    node,
    facts: lists[0],
    tables: lists[2],
    events: lists[4],
    runs: graphs.querySelector(".spark svg"),
    history: graphs.querySelector(".avail svg"),
    captions: graphs.querySelectorAll("figcaption"),
  });
}

function renderDetail(entry) {
  if (detail.name !== entry.name) makeDetail(entry);
  const data = entry.data;
  put(entry.row.button, "aria-controls", detail.node.id);
  const now = serverNow();
  const own = data.own !== data.state ? `, by its own verdicts ${stateWord({ ...data, state: data.own })}` : "";
  const set = data.override;
  facts(detail.facts, [
    ["State", `${stateWord(data)}${own}${data.stale ? ", stale: no conclusive verdict for too long" : ""}`],
    ["Since", data.since ? `${moment(data.since)}, for ${span(now - data.since)}` : null],
    ["Last verdict", data.verdict],
    ["Reason", [data.reason, reasonWords(data.reason, data.blame)].filter(Boolean).join(": ")],
    ["In detail", data.ended === "cannot-start" ? null : data.detail],
    ["Because of", data.blame],
    ["Set by an operator", set ? `${overrideWords(set)}, since ${moment(set.since)}` : null],
    ["Not tested", data.ended ? endedWords(data) : null],
    ["Test", data.test],
    ["Interval", data.interval_ms === null || data.interval_ms === undefined ? null : micros(data.interval_ms * 1000)],
    ["Next run", data.running ? "under way" : data.next ? (data.next > now ? `in ${span(data.next - now + 0.5)}` : "now") : null],
    ["Run time, p50 / p99", `${micros(data.p50_us)} / ${micros(data.p99_us)}`],
    ["Available", data.availability === null ? null : percent(data.availability)],
    ["Runs", `${numbers.format(data.runs)}, ${numbers.format(data.failures)} failed, ${numbers.format(data.inconclusive)} inconclusive`],
    ["Missed slots", numbers.format(data.missed)],
    ["Certificate", certificateWords(data.certificate_days)],
  ]);
  drawRuns(detail.runs, data.recent_us || []);
  drawHistory(detail.history, data.history);
  say(detail.captions[0], detail.runs.getAttribute("aria-label"));
  say(detail.captions[1], detail.history.getAttribute("aria-label"));
  lines(detail.tables, model.tables.flatMap((table) => table.addresses.filter((one) => one.rules.includes(entry.name))
    .map((one) => `${table.table}: ${one.address} ${addressWords(one)}`)), "in none");
  const events = [];
  for (const kept of model.events) {
    if (kept.event.rule === entry.name) {
      const words = keptWords(kept);
      const prefix = entry.name + " ";
      events.push(`${eventTime(kept.event)} ${words.startsWith(prefix) ? words.slice(prefix.length) : words}`);
    }
    if (events.length === DETAIL_EVENTS) break;
  }
  lines(detail.events, events, "none since this page was opened, nor kept by hfm");
  return detail.node;
}

function lines(list, texts, none) {
  const all = texts.length ? texts : [none];
  arrange(list, all.map((text, index) => {
    const item = list.children[index] || make("li", "data");
    say(item, text);
    return item;
  }));
}
