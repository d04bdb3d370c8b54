// On a telephone a long list shows its first rows and says how many more there are; without script all show.
const SHOWN = 10;

export function startFold() {
  if (!matchMedia("(max-width: 640px)").matches) return;
  document.querySelectorAll("#result_list, table.flow").forEach(fold);
}

function fold(table) {
  const rows = [...table.tBodies].flatMap((body) => [...body.rows]);
  if (rows.length <= SHOWN + 2) return;
  const rest = rows.slice(SHOWN);
  rest.forEach((row) => (row.hidden = true));
  const more = document.createElement("button");
  more.type = "button";
  more.className = "button more";
  more.textContent = `Show ${rest.length} more`;
  more.addEventListener("click", () => {
    rest.forEach((row) => (row.hidden = false));
    rest[0].querySelector("a, input")?.focus();
    more.remove();
  });
  table.after(more);
}
