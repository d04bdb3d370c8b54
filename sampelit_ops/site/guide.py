"""The guide in the portal: `docs/guide/*.md` as pages, and which of them helps below which entry of the menu.

In: the Markdown that the guide uses (headings, paragraphs, lists, tables, fences, code, bold, emphasis, links,
pictures); a test holds it to that. Out: escaped HTML; links to other documents are their names.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from django.conf import settings
from django.contrib import admin
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

FOLDER = Path(settings.BASE_DIR) / "docs" / "guide"
_INLINE = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*|\*([^*]+)\*|\[([^\][]+)\]\(([^)\s]+)\)")
_PICTURE = re.compile(r"!\[([^\]]+)\]\(pictures/([\w-]+)\.webp\)")
_ITEM = re.compile(r"(?:- |\d+\. )")


def guide_page(request: HttpRequest, name: str = "README") -> HttpResponse:
    """One page of the guide, for everybody who is signed in."""
    if name not in names():
        raise Http404(f"The guide has no page {name}.")
    title, body = _read(name)
    context = {"title": title, "body": body, "pages": names(), "current": name}
    return render(request, "admin/guide.html", {**admin.site.each_context(request), **context})


def picture(request: HttpRequest, name: str) -> FileResponse:
    """One picture of the guide; the browser tests take them (docs/guide/pictures)."""
    path = FOLDER / "pictures" / f"{name}.webp"
    if not path.is_file():
        raise Http404(f"The guide has no picture {name}.")
    answer = FileResponse(path.open("rb"), content_type="image/webp")
    answer["Cache-Control"] = "private, max-age=3600"
    return answer


def address(name: str) -> str:
    return reverse("admin:guide") if name == "README" else reverse("admin:guide_page", args=[name])


@cache
def names() -> tuple[str, ...]:
    """The names of the pages, the first one first."""
    return ("README", *sorted(path.stem for path in FOLDER.glob("*.md") if path.stem != "README"))


@cache
def _read(name: str) -> tuple[str, SafeString]:
    first, _, rest = (FOLDER / f"{name}.md").read_text(encoding="utf-8").partition("\n")
    return first.removeprefix("# "), html(rest)


def html(text: str) -> SafeString:
    """The whole text; blocks are divided by blank lines, a fence keeps its own."""
    parts = re.split(r"^```\w*\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    return mark_safe("".join(_fence(part) if place % 2 else _blocks(part) for place, part in enumerate(parts)))  # noqa: S308 (escaped)


def _fence(text: str) -> str:
    return format_html('<pre class="shell" tabindex="0">{}</pre>', text.rstrip())


def _blocks(text: str) -> str:
    return "".join(_block(block.strip("\n").split("\n")) for block in re.split(r"\n\s*\n", text) if block.strip())


def _block(lines: list[str]) -> str:
    if lines[0].startswith("## "):
        return format_html("<h2>{}</h2>", inline(lines[0][3:]))
    if found := _PICTURE.fullmatch(lines[0]):
        shown = '<p><img src="{}" alt="{}" width="840" height="532" loading="lazy"></p>'
        return format_html(shown, reverse("admin:guide_picture", args=[found[2]]), found[1])
    if lines[0].startswith("|"):
        return _table(lines)
    if _ITEM.match(lines[0]):
        tag = "ul" if lines[0].startswith("- ") else "ol"
        items = format_html_join("", "<li>{}</li>", ((inline(item),) for item in _items(lines)))
        return format_html("<{}>{}</{}>", tag, items, tag)
    return format_html("<p>{}</p>", inline(" ".join(lines)))


def _items(lines: list[str]) -> list[str]:
    """Each item with the lines that go on with it."""
    items: list[str] = []
    for line in lines:
        if found := _ITEM.match(line):
            items.append(line[found.end() :])
        else:
            items[-1] += f" {line.strip()}"
    return items


def _table(lines: list[str]) -> str:
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    titles = format_html_join("", '<th scope="col">{}</th>', ((inline(cell),) for cell in head))
    body = format_html_join("", "<tr>{}</tr>", ((_cells(head, row),) for row in rows))
    return format_html('<table class="table"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>', titles, body)


def _cells(head: list[str], row: list[str]) -> SafeString:
    cells = ((name, inline(cell)) for name, cell in zip(head, row, strict=True))
    return format_html_join("", '<td data-label="{}">{}</td>', cells)


def inline(text: str) -> SafeString:
    """Code, bold, emphasis and links of one line; everything else is escaped."""
    made, last = "", 0
    for found in _INLINE.finditer(text):
        made += escape(text[last : found.start()]) + _span(*found.groups())
        last = found.end()
    return mark_safe(made + escape(text[last:]))  # noqa: S308 (escaped above)


def _span(code: str | None, bold: str | None, slanted: str | None, label: str | None, link: str | None) -> str:
    if code:
        return format_html("<code>{}</code>", code)
    if bold:
        return format_html("<strong>{}</strong>", bold)
    if slanted:
        return format_html("<em>{}</em>", slanted)
    name = str(link).removesuffix(".md")
    return format_html('<a href="{}">{}</a>', address(name), label) if name in names() else escape(str(label))
