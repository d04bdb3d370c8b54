// What a field means, told while one types: <input data-explain="ADDRESS">. The address answers with a line of text
// for the values of the form's fields that data-explain-with names.
const PATIENCE = 300;

export function startExplain() {
  document.querySelectorAll("[data-explain]").forEach((input) => {
    const told = Object.assign(document.createElement("p"), { className: "help explained" });
    told.setAttribute("role", "status");
    input.after(told);
    const others = (input.dataset.explainWith || "").split(" ").filter(Boolean);
    const fields = [input, ...others.map((name) => input.form.elements[name])];
    let waiting = 0;
    const soon = () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => tell(input, fields, told), PATIENCE);
    };
    fields.forEach((field) => field.addEventListener("input", soon));
    tell(input, fields, told);
  });
}

async function tell(input, fields, told) {
  const values = fields.map((field) => [field.name, field.value]);
  const answer = await fetch(`${input.dataset.explain}?${new URLSearchParams(values)}`);
  if (answer.ok) told.textContent = await answer.text();
}
