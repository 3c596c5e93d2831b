// Numbers, times and reasons in words.

const numbers = new Intl.NumberFormat("en-GB");
const order = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
const clockOf = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const dayOf = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", year: "numeric" });
const DASH = "–";

function count(n, one, many) {
  return numbers.format(n) + " " + (n === 1 ? one : many || one + "s");
}

function allOf(n, one) {
  return n === 2 ? `Both ${one}s` : "All " + count(n, one);
}

// A span in seconds, as two units at most.
function span(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return s + "\u00a0s";
  const min = Math.floor(s / 60);
  if (min < 60) return min + "\u00a0min";
  const hours = Math.floor(min / 60);
  if (hours < 48) return hours + "\u00a0h" + (min % 60 ? "\u00a0" + (min % 60) + "\u00a0min" : "");
  const days = Math.floor(hours / 24);
  return numbers.format(days) + "\u00a0d" + (hours % 24 && days < 10 ? "\u00a0" + (hours % 24) + "\u00a0h" : "");
}

// Microseconds, to two digits or three.
function micros(us) {
  if (us === null || us === undefined) return DASH;
  if (us < 1000) return us + "\u00a0µs";
  if (us < 9950) return (us / 1000).toFixed(1) + "\u00a0ms";
  if (us < 999500) return Math.round(us / 1000) + "\u00a0ms";
  return (us / 1e6).toFixed(1) + "\u00a0s";
}

// The whole days that a certificate still counts, or those begun since it does not.
function certificateWords(days) {
  if (days === null || days === undefined) return null;
  return days < 0 ? `expired ${count(-days, "day")} ago` : `expires in ${count(days, "day")}`;
}

// Rounded down: what is not all is never told as 100 %.
function percent(value) {
  if (value === null || value === undefined) return DASH;
  return Math.floor(value * 100 + 1e-9) / 100 + "\u00a0%";
}

function clock(seconds) {
  return clockOf.format(new Date(seconds * 1000));
}

// The time, and the day unless it is today.
function moment(seconds) {
  if (seconds === null || seconds === undefined) return DASH;
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return DASH;
  const day = dayOf.format(date);
  return day === dayOf.format(new Date()) ? clockOf.format(date) : day + ", " + clockOf.format(date);
}

// Some names, and how many more there are.
function some(names, most) {
  const rest = names.length - most;
  const shown = names.slice(0, rest === 1 ? most + 1 : most).join(", ");
  return rest > 1 ? shown + " and " + numbers.format(rest) + " more" : shown;
}

const REASONS = {
  "ok": "", "success": "",
  "refused": "connection refused",
  "reset": "connection reset",
  "unreachable": "cannot be reached",
  "closed": "closed the connection early",
  "timeout-connect": "no connection in time",
  "timeout-tls": "no TLS session in time",
  "timeout-response": "no whole answer in time",
  "tls-alert": "ended TLS with an alert",
  "tls-protocol": "does not speak TLS as it should",
  "tls-untrusted": "certificate is not trusted",
  "tls-name": "certificate is for other names",
  "tls-expired": "certificate has expired",
  "tls-not-yet": "certificate does not count yet",
  "tls-expiry": "certificate expires soon",
  "http-protocol": "does not speak HTTP as it should",
  "http-status": "wrong HTTP status",
  "header": "wrong header",
  "pattern-missing": "expected text is missing",
  "pattern-rejected": "rejected text is there",
  "exit-status": "test exited with an error",
  "signal": "test was ended by a signal",
  "timeout-int": "test took too long and was interrupted",
  "timeout-kill": "test took too long and was killed",
  "requires": "a rule that it requires is down",
  "drained": "drained by an operator",
  "always-fail": "set to fail",
  "always-success": "set to succeed",
  "unresolved": "name cannot be resolved",
  "descriptors": "hfm is out of descriptors",
  "ports": "hfm is out of local ports",
  "buffers": "this machine is out of buffers",
  "permission": "not permitted on this machine",
  "address": "address cannot be used here",
  "interface": "interface cannot be used",
  "spawn": "test cannot be started",
  "late": "started too late to say anything",
  "guarded": "its guard does not succeed",
};
const ENDED = {
  "disabled": "disabled in the file",
  "runs-used-up": "all its runs are done",
  "cannot-start": "cannot be started",
};

// Why a rule is not tested any more; the detail of one that cannot be started is what it cannot start, and why.
function endedWords(data) {
  return (ENDED[data.ended] || data.ended) + (data.ended === "cannot-start" && data.detail ? ": " + data.detail : "");
}

function reasonWords(reason, blame) {
  if (reason === "requires" && blame) return "requires " + blame + ", which is down";
  if (!reason) return "";
  return Object.hasOwn(REASONS, reason) ? REASONS[reason] : reason;
}

// What an operator has set: what, why, who, until when.
function overrideWords(set) {
  const who = set.by ? " by " + set.by : set.uid !== null && set.uid !== undefined ? " by user " + set.uid : "";
  const why = set.reason ? ": " + set.reason : "";
  const until = set.until ? ", until " + moment(set.until) : ", until it is cleared";
  return set.kind + who + why + until;
}
