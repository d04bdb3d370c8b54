// Times in the zone that this person chose, absolute where one taps. The server writes UTC, which is what shows
// without script, and keeps the choice with the person: the foot of each page names it.

export function startZones() {
  localize(document);
  new MutationObserver((changes) => changes.forEach((change) => localize(change.target))).observe(document.body, {
    childList: true,
    subtree: true,
  });
  document.addEventListener("click", (event) => {
    const time = event.target.closest("time[title]");
    if (time && !event.target.closest("a, button, summary")) turn(time);
  });
  startChoice(document.getElementById("zone"));
}

function chosen() {
  return document.getElementById("zone")?.dataset.chosen || "UTC";
}

function absolute(moment) {
  const parts = new Intl.DateTimeFormat("sv-SE", {
    timeZone: chosen(),
    dateStyle: "short",
    timeStyle: "medium",
  }).format(moment);
  const zone = new Intl.DateTimeFormat("en-GB", { timeZone: chosen(), timeZoneName: "short" })
    .formatToParts(moment)
    .find((part) => part.type === "timeZoneName");
  return `${parts} ${zone.value}`;
}

// A relative time keeps its words and tells the moment on hover and on tap; an absolute one is written anew.
function localize(root) {
  if (root.nodeType !== Node.ELEMENT_NODE && root.nodeType !== Node.DOCUMENT_NODE) return;
  for (const time of root.querySelectorAll("time[datetime]:not([data-zone])")) {
    time.dataset.zone = chosen();
    const text = absolute(new Date(time.dateTime));
    if (time.hasAttribute("title")) time.title = text;
    else if (chosen() !== "UTC") time.textContent = text;
  }
}

function turn(time) {
  const words = time.dataset.words;
  if (words === undefined) {
    time.dataset.words = time.textContent;
    time.textContent = time.title;
  } else {
    time.textContent = words;
    delete time.dataset.words;
  }
}

function startChoice(select) {
  if (!select) return;
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  offer(select, ["UTC", here, chosen()]);
  select.closest("[hidden]").removeAttribute("hidden");
  document.querySelectorAll("[data-zone-name]").forEach((place) => (place.textContent = chosen()));
  select.addEventListener("focus", () => offer(select, ["UTC", here, ...Intl.supportedValuesOf("timeZone")]), {
    once: true,
  });
  select.addEventListener("change", () => {
    select.form.submit();
  });
}

function offer(select, names) {
  select.replaceChildren(...[...new Set(names)].map((name) => new Option(name, name, false, name === chosen())));
}
