// A rule's row. It is made once, and then only what differs is written.

const MOVES = matchMedia("(prefers-reduced-motion: no-preference)");

const columns = (node) => ({
  node,
  path: node.querySelector(".state path"),
  word: node.querySelector(".state span"),
  state: node.querySelector(".state"),
  button: node.querySelector(".name button"),
  tags: node.querySelectorAll(".tag"),
  reason: node.querySelector(".reason"),
  why: node.querySelector(".why"),
  since: node.querySelector(".since"),
  times: node.querySelector(".times"),
  spark: node.querySelector(".spark svg"),
  avail: node.querySelector(".avail svg"),
  data: null,
  look: "",
});

function makeRow(entry) {
  const row = columns(clone("row-template"));
  row.node.dataset.rule = entry.name;
  say(row.button, entry.leaf);
  put(row.button, "aria-label", entry.name);
  row.node.addEventListener("click", (event) => {
    // Whoever selects a text with the mouse does not ask for more.
    if (!event.target.closest("button") && String(getSelection())) return;
    toggleDetail(entry.name);
  });
  return row;
}

function stateWord(data) {
  if (data.state === "fail") return "down";
  if (data.state === "success") return "up";
  return data.ended ? "off" : "unknown";
}

// Why it is so: in words for what is not well, nothing for what is. hfm's own words say most.
function why(data) {
  if (data.ended) return endedWords(data);
  if (data.state === "success" && data.verdict === "success") return "";
  if (data.override && data.reason === data.override.kind) return "";
  if (data.reason === "requires" && data.blame) return reasonWords(data.reason, data.blame);
  if (data.verdict === null && data.state === "unknown") return "no verdict yet";
  return data.reason === "ok" || data.reason === "success" ? "" : data.detail || reasonWords(data.reason);
}

function updateRow(entry) {
  const row = entry.row;
  const data = entry.data;
  if (row.data === data) return;
  row.data = data;
  const look = data.ended && entry.look === "unknown" ? "ended" : entry.look;
  if (row.look !== look) {
    put(row.node, "data-look", look);
    shape(row.path, look);
    if (row.look && MOVES.matches && row.node.isConnected) {
      row.node.animate([{ backgroundColor: "var(--flash)" }, {}], { duration: 1600, easing: "ease-out" });
    }
    row.look = look;
  }
  say(row.word, stateWord(data));
  const set = data.override;
  hide(row.tags[0], !set);
  if (set) say(row.tags[0], overrideWords(set));
  hide(row.tags[1], !data.stale);
  if (data.stale) say(row.tags[1], "stale: no recent verdict");
  const reason = why(data);
  say(row.reason, reason);
  put(row.why, "title", [set && overrideWords(set), reason && reasonWords(data.reason), reason].filter(Boolean).join(" · "));
  say(row.times, data.p50_us === null || data.p50_us === undefined ? DASH : `${micros(data.p50_us)} / ${micros(data.p99_us)}`);
  drawRuns(row.spark, data.recent_us || []);
  drawHistory(row.avail, data.history);
  updateSince(entry);
}

// The one thing of a row that changes by itself.
function updateSince(entry) {
  const since = entry.data.since;
  const known = since !== null && since !== undefined;
  say(entry.row.since, known ? span(serverNow() - since) : DASH);
  if (entry.row.since.told === since) return;
  entry.row.since.told = since;
  put(entry.row.since, "title", known ? "since " + moment(since) : "");
}
