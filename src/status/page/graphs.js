// The two pictures of a rule: its last runs, and its availability. Both tell by shape what they tell by colour.

const RUNS = 48;

// Durations as a line, a run that failed as a cross on the ground line.
function drawRuns(svg, recent) {
  const key = recent.join();
  if (svg.drawn === key) return;
  svg.drawn = key;
  const [line, dots, cross] = svg.children;
  const took = recent.filter((us) => us !== null);
  const high = Math.max(...took, 1);
  const low = Math.min(...took, high * 0.8);
  let path = "";
  let single = "";
  let crosses = "";
  recent.forEach((us, index) => {
    const x = 2 + ((RUNS - recent.length + index) * 92) / (RUNS - 1);
    if (us === null) {
      crosses += cross2(x, 16);
      return;
    }
    const y = 17 - ((us - low) / (high - low || 1)) * 14;
    const before = index > 0 && recent[index - 1] !== null;
    const after = index + 1 < recent.length && recent[index + 1] !== null;
    path += (before ? "L" : "M") + x.toFixed(1) + " " + y.toFixed(1);
    if (!before && !after) single += `M${(x - 0.8).toFixed(1)} ${y.toFixed(1)}h1.6`;
  });
  put(line, "d", path);
  put(dots, "d", single);
  put(cross, "d", crosses);
  const failed = recent.length - took.length;
  put(svg, "aria-label", recent.length === 0 ? "no runs yet" :
    `last ${count(recent.length, "run")}: ${failed ? numbers.format(failed) + " failed" : "none failed"}` +
    (took.length ? `, between ${micros(Math.min(...took))} and ${micros(high)}` : ""));
}

function cross2(x, y) {
  return `M${(x - 1.6).toFixed(1)} ${y - 3}l3.2 6m0-6l-3.2 6`;
}

// A bucket without failures is a whole bar; with some it is a shorter one, as high as its share of successes;
// without any success it is a cross, without any run a dot.
function drawHistory(svg, history) {
  const up = (history && history.up) || [];
  const key = up.join();
  if (svg.drawn === key) return;
  svg.drawn = key;
  const [full, part, zero, gap] = svg.children;
  const paths = ["", "", "", ""];
  up.forEach((share, index) => {
    const x = (RUNS - up.length + index) * 3;
    if (share === null) paths[3] += `M${x} 17.5h1.5v1.5h-1.5z`;
    else if (share >= 100) paths[0] += `M${x} 3h2v16h-2z`;
    else if (share <= 0) paths[2] += `M${x - 0.3} 11l2.6 8m0-8l-2.6 8`;
    else {
      const height = Math.max(2, Math.floor(share * 0.12));
      paths[1] += `M${x} ${19 - height}h2v${height}h-2z`;
    }
  });
  [full, part, zero, gap].forEach((node, index) => put(node, "d", paths[index]));
  put(svg, "aria-label", historyWords(history));
}

function historyWords(history) {
  const up = (history && history.up) || [];
  const known = up.filter((share) => share !== null);
  if (known.length === 0) return "no history yet";
  const bad = known.filter((share) => share < 100).length;
  const each = span(history.bucket_s);
  return `last ${span(history.bucket_s * up.length)}, each bar ${each}: ` +
    (bad ? `failures in ${numbers.format(bad)} of ${numbers.format(known.length)} bars, lowest ${percent(Math.min(...known))}` : "no failures");
}

// A group at a glance: a tick for each rule that is up, a high block for one that is down, a hollow one for the rest.
const STRIP_MAX = 60;
function drawStrip(svg, entries) {
  const some = entries.slice(0, STRIP_MAX);
  const key = some.map((entry) => entry.look[0]).join("");
  if (svg.drawn === key) return;
  svg.drawn = key;
  const paths = { up: "", odd: "", down: "" };
  some.forEach((entry, index) => {
    const x = index * 4;
    if (entry.look === "down") paths.down += `M${x} 0h3v12h-3z`;
    else if (entry.look === "up") paths.up += `M${x} 6h3v6h-3z`;
    else paths.odd += `M${x} 3h3v9h-3zM${x + 1} 4.5h1v6h-1z`;
  });
  [...svg.children].forEach((node) => put(node, "d", paths[node.getAttribute("class")]));
  put(svg, "width", String(some.length * 4));
}
