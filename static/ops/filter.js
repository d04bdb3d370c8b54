// A search box over a table's rows: <input data-filter="TABLE-ID">. Without script it stays hidden and all rows show.
export function startFilter() {
  document.querySelectorAll("input[data-filter]").forEach((input) => {
    const rows = document.getElementById(input.dataset.filter).tBodies[0].rows;
    input.hidden = false;
    input.addEventListener("input", () => {
      const wanted = input.value.trim().toLowerCase();
      for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
    });
    input.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
  });
}
