// Drawing, the keyboard, the theme, and the beginning.

let drawing = 0;
let came = 0;

// Draws in the next frame, however many ask for it. `at`: when the data came, to measure how long it took.
function draw(at) {
  // Browsers draw no frame of a hidden page. Its title and icon are seen all the same.
  if (document.hidden) renderHead();
  else if (at) came = at;
  if (!drawing) drawing = requestAnimationFrame(drawNow);
}

function drawNow() {
  cancelAnimationFrame(drawing);
  drawing = 0;
  renderHead();
  renderAbout();
  renderLink();
  renderRules();
  renderTables();
  renderEvents();
  renderMonitor();
  if (came) {
    const start = came;
    came = 0;
    // A task after the frame in which it was drawn runs when that is painted.
    requestAnimationFrame(() => setTimeout(() => {
      performance.clearMeasures("painted");
      performance.measure("painted", { start, end: performance.now() });
    }));
  }
}

// Once a second what grows by itself.
setInterval(() => {
  if (document.hidden || !model.hfm) return;
  renderAbout();
  renderLink();
  for (const entry of shownEntries) updateSince(entry);
}, 1000);

const THEMES = ["system", "light", "dark"];
function setTheme(theme) {
  const root = document.documentElement;
  if (theme === "system") delete root.dataset.theme;
  else root.dataset.theme = theme;
  say(byId("theme"), "Theme: " + theme);
}
// What is stored may be forbidden to read and to write.
function stored(value) {
  try {
    if (value === undefined) return localStorage.getItem("hfm-theme");
    localStorage.setItem("hfm-theme", value);
  } catch {
    // The theme then lasts as long as the page.
  }
  return null;
}
let theme = THEMES.includes(stored()) ? stored() : "system";
setTheme(theme);
byId("theme").addEventListener("click", () => {
  theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
  setTheme(theme);
  stored(theme);
});

byId("fold").addEventListener("click", foldAll);
byId("pause").addEventListener("click", pauseEvents);
byId("search").addEventListener("input", (event) => seek(event.target.value));
byId("events-search").addEventListener("input", (event) => seekEvents(event.target.value));

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.matches("input");
  if (event.key === "/" && !typing) {
    event.preventDefault();
    byId("search").focus();
    byId("search").select();
  } else if (event.key === "Escape") {
    escape(event.target, typing);
  } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && event.target.closest("#groups")) {
    const all = [...byId("groups").querySelectorAll("button.fold, .row button")];
    const next = all[all.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1)];
    if (!next || !event.target.matches("button.fold, .row button")) return;
    event.preventDefault();
    next.focus();
  } else if (event.key === "ArrowDown" && event.target === byId("search")) {
    const first = byId("groups").querySelector(".row button, button.fold");
    if (first) first.focus();
    event.preventDefault();
  }
});

// Takes back one thing: what is typed, then what is open.
function escape(target, typing) {
  if (typing && target.value) {
    target.value = "";
    target.dispatchEvent(new Event("input", { bubbles: true }));
  } else if (typing) {
    target.blur();
  } else if (view.open !== null) {
    closeDetail();
  }
}

// Shows what the address of the page says, whoever wrote it.
function readAddress() {
  const said = new URLSearchParams(location.hash.slice(1));
  view.filter = FILTERS.some((filter) => filter.key === said.get("show")) ? said.get("show") : "all";
  byId("search").value = said.get("search") || "";
  seek(byId("search").value);
}
window.addEventListener("hashchange", readAddress);
// This leads to a place in the page, and leaves the address as it is.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  byId("rules").scrollIntoView();
  byId("rules").focus({ preventScroll: true });
});

readAddress();
renderLink();
connect();
