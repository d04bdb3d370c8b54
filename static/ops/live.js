// Refreshes every element with data-live="URL" each 2 s (data-live-every="seconds"). Stops when the fragment says
// data-terminal, when the tab is hidden, and when the answer is not 200; keeps focus, open <details> and selection.
// Where data-state of the fragment changes, the rest of the page is not so any more: it is loaded anew, or that is said
// to somebody who is typing there.
const BASE_SECONDS = 2;

export function startLive() {
  document.querySelectorAll("[data-live]").forEach(watch);
}

function watch(element) {
  const every = 1000 * Number(element.dataset.liveEvery || BASE_SECONDS);
  let failures = 0;
  const tick = async () => {
    if (finished(element) || !element.isConnected) return;
    if (!document.hidden && !busy(element)) failures = (await refresh(element)) ? 0 : failures + 1;
    if (failures < 5) setTimeout(tick, every * 2 ** failures);
    else note(element, "Live updates stopped. Reload the page to see the current state.");
  };
  setTimeout(tick, every);
}

function finished(element) {
  return element.hasAttribute("data-terminal") || element.querySelector("[data-terminal]") !== null;
}

function busy(element) {
  const active = document.activeElement;
  const typing = active && element.contains(active) && ["INPUT", "TEXTAREA", "SELECT"].includes(active.tagName);
  const selection = window.getSelection();
  return typing || (selection && !selection.isCollapsed && element.contains(selection.anchorNode));
}

async function refresh(element) {
  try {
    const answer = await fetch(element.dataset.live, {
      headers: { "X-Requested-With": "live" },
      credentials: "same-origin",
    });
    if (!answer.ok || answer.redirected) return false;
    replace(element, await answer.text());
    return true;
  } catch {
    return false;
  }
}

function replace(element, html) {
  if (html === element.last) return;
  const before = stateOf(element);
  element.last = html;
  const open = [...element.querySelectorAll("details[open]")].map((d) => d.id).filter(Boolean);
  const focused = element.contains(document.activeElement) ? document.activeElement.id : "";
  element.innerHTML = html;
  open.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
  if (focused) document.getElementById(focused)?.focus();
  if (before !== stateOf(element)) reload(element);
  element.querySelectorAll("[data-follow]").forEach((log) => {
    log.scrollTop = log.scrollHeight;
  });
}

function stateOf(element) {
  return element.querySelector("[data-state]")?.dataset.state;
}

function reload(element) {
  const active = document.activeElement;
  if (active && active.value && ["INPUT", "TEXTAREA"].includes(active.tagName))
    note(element, "Something happened meanwhile: reload the page before you go on.");
  else location.reload();
}

function note(element, text) {
  const line = document.createElement("p");
  line.className = "hint live-note";
  line.setAttribute("role", "status");
  line.textContent = text;
  element.append(line);
}
