"""What lies where it should not at one width: a page wider than the screen, a lone card, a hidden title, squeezed text.

In: a page that is open. Out: a sentence for each.
"""

from __future__ import annotations

from tests.browser.conftest import Watched

WIDTHS = (1400, 1280, 1024, 768, 390)

# The last card of a row that does not reach its group's right edge; a button of the page that lies on tabs or title;
# text that its neighbours leave the room of a letter.
MISPLACED = """() => {
  const box = (element) => element.getBoundingClientRect();
  const hangs = [...document.querySelectorAll(".cards, .tiles")].filter((group) => group.children.length > 1)
    .filter((group) => box(group).right - box(group.lastElementChild).right > 2)
    .map((group) => `the last of ${group.className} hangs alone: ${group.lastElementChild.innerText.slice(0, 40)}`);
  const text = (element) => {
    const range = document.createRange(); range.selectNodeContents(element); return box(range); };
  const texts = [...document.querySelectorAll("main h1, .tabs a")].map((element) => [element, text(element)]);
  const lies = [...document.querySelectorAll(".object-tools li")].flatMap((button) => texts
    .filter(([_, place]) => place.left < box(button).right && place.right > box(button).left
      && place.top < box(button).bottom && place.bottom > box(button).top)
    .map(([element]) => `“${button.innerText.slice(0, 30)}” lies on “${element.innerText}”`));
  const squeezed = [...document.querySelectorAll("main *")]
    .filter((element) => !element.children.length && element.innerText?.trim() && box(element).width > 1)
    .filter((element) => text(element).height > 200 && text(element).height > 8 * text(element).width)
    .map((element) => `squeezed: ${element.innerText.slice(0, 40)}`);
  return [...hangs, ...lies, ...squeezed.slice(0, 4)];
}"""
WIDEST = """() => [...document.querySelectorAll("body *")]
  .map((e) => [e, Math.round(e.getBoundingClientRect().right)]).filter(([e, right]) => right > innerWidth + 1)
  .slice(0, 4).map(([e, right]) => `${e.tagName.toLowerCase()}.${e.className} ${right}`).join(", ")"""


def misplaced(page: Watched, width: int) -> list[str]:
    """Of the page as it stands at this width."""
    reach = page.page.evaluate("document.documentElement.scrollWidth")
    wide = [f"{width}: the page is {reach} px wide; {page.page.evaluate(WIDEST)}"] if reach > width else []
    return wide + [f"{width}: {line}" for line in page.page.evaluate(MISPLACED)]
