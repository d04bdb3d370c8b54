// The narrow layout's menu button, menus that close on a click elsewhere, copy buttons. Without script all is open.
export function startMenu() {
  const side = document.getElementById("side");
  const button = document.getElementById("menu-button");
  if (side && button) {
    document.documentElement.classList.add("scripted-menu");
    document.getElementById("nav-groups").classList.add("scripted");
    button.addEventListener("click", () => button.setAttribute("aria-expanded", String(side.classList.toggle("open"))));
  }
  document.addEventListener("click", (event) => {
    const source = event.target.closest("[data-copy]");
    if (source) copy(source);
    document.querySelectorAll(".user-menu[open], #changelist-filter details[open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.removeAttribute("open");
    });
  });
}

async function copy(source) {
  await navigator.clipboard.writeText(source.dataset.copy);
  const before = source.textContent;
  source.textContent = "Copied";
  setTimeout(() => {
    source.textContent = before;
  }, 1500);
}
