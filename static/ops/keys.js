// Shortcuts: "/" or Ctrl-K to the search, "g" then a letter to a page, "?" for help, Escape closes. Never while typing.
const PAGES = {
  h: "Overview",
  d: "Deployments",
  m: "Migrations",
  b: "Backups",
  a: "Approvals",
  t: "Activity",
  e: "Health",
  s: "Settings",
};
let waitingForPage = false;

export function startKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return closeOpen();
    if ((event.ctrlKey || event.metaKey) && event.key === "k") return focusSearch(event, "jump");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") return walk(event);
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (waitingForPage) return follow(event);
    if (event.key === "/") return focusSearch(event);
    if (event.key === "?") return toggleHelp();
    waitingForPage = event.key === "g";
  });
}

function typing(target) {
  return target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);
}

function focusSearch(event, id = "searchbar") {
  const field = document.getElementById(id) || document.getElementById("jump");
  if (!field) return;
  event.preventDefault();
  field.focus();
  field.select();
}

// On the search's page the arrows go from hit to hit; Enter opens the one that is reached.
function walk(event) {
  const hits = [...document.querySelectorAll(".found a")];
  const next = hits.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
  if (!hits[next]) return;
  event.preventDefault();
  hits[next].focus();
}

function follow(event) {
  waitingForPage = false;
  const label = PAGES[event.key];
  const link =
    label && [...document.querySelectorAll("#nav-groups a")].find((a) => a.firstChild.textContent.trim() === label);
  if (link) link.click();
}

function closeOpen() {
  document
    .querySelectorAll(".user-menu[open], #changelist-filter details[open]")
    .forEach((d) => d.removeAttribute("open"));
  document.getElementById("shortcuts")?.remove();
}

function toggleHelp() {
  const shown = document.getElementById("shortcuts");
  if (shown) return shown.remove();
  const box = document.createElement("section");
  box.id = "shortcuts";
  box.className = "card shortcuts";
  box.setAttribute("role", "status");
  box.setAttribute("aria-label", "Keyboard shortcuts");
  const lines = [
    ["/", "search (this list, else everything)"],
    ["Ctrl K", "search everything"],
    ["↓ ↑", "from hit to hit"],
    ["?", "this help"],
    ["Esc", "close"],
    ...Object.entries(PAGES).map(([k, v]) => [`g ${k}`, v]),
  ];
  box.append(Object.assign(document.createElement("h2"), { textContent: "Keyboard" }), list(lines));
  document.body.append(box);
}

function list(lines) {
  const terms = document.createElement("dl");
  terms.className = "pairs";
  for (const [key, meaning] of lines) {
    const term = document.createElement("dt");
    term.append(Object.assign(document.createElement("kbd"), { textContent: key }));
    terms.append(term, Object.assign(document.createElement("dd"), { textContent: meaning }));
  }
  return terms;
}
