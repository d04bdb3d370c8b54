"""What the pages say is there: paths, names in files, links, cited sections, tests, the rooms of the picture."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
ROOMS = (
    "backups",
    "deployments",
    "ledger",
    "migrations_registry",
    "operations",
    "providers",
    "sampelit_ops",
    "sandbox",
)
EVERYWHERE = {
    "admin",
    "doctor",
    "kinds",
    "management",
    "migrations",
    "models",
    "services",
    "templatetags",
    "web",
    "formats",
}
GUIDES = ("CONTRIBUTING.md", "README.md", "docs/design.md")
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
PATH = re.compile(r"`((?:[\w.-]+/)+[\w.-]*)(?:::?([\w.]+))?`")
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
CITED = re.compile(r"docs/design\.md (\d+)")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def is_ours(path: str) -> bool:
    """Whether a path begins with something at the top of this repository; others lie in a store or in Sampelit's."""
    top = path.partition("/")[0]
    return top != ".data" and (ROOT / top).exists()


def defines(path: str, name: str) -> bool:
    word = re.escape(name.rpartition(".")[2])
    return re.search(rf"^\s*(?:def|class) {word}\b|^{word}\b[^\n]*=", read(path), re.MULTILINE) is not None


@pytest.mark.parametrize("page", GUIDES)
def test_what_a_guide_names_exists(page: str) -> None:
    named = [(path, name) for path, name in PATH.findall(read(page)) if is_ours(path)]

    assert [path for path, _ in named if not (ROOT / path).exists()] == []
    assert [f"{path}:{name}" for path, name in named if name and not defines(path, name)] == []


@pytest.mark.parametrize("page", [page for page in PAGES if page not in GUIDES and "/adr/" not in page])
def test_a_file_that_a_page_names_exists(page: str) -> None:
    """Other pages name paths in stores as well; only sources are looked for. Records tell what was once."""
    named = [path for path, _ in PATH.findall(read(page)) if path.endswith(".py") and is_ours(path)]

    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    here = (ROOT / page).parent

    assert [link for link in LINK.findall(read(page)) if not (here / link).exists()] == []


def test_the_reference_is_short_enough_to_be_read() -> None:
    """Words of what is no guide and no record: 20,000 at most. What says more replaces something or is generated."""
    pages = [path for path in (ROOT / "docs").glob("*.md") if path.name != "reliability.md"]
    words = {path.name: len(path.read_text(encoding="utf-8").split()) for path in pages}

    assert sum(words.values()) <= 20_000, words


def test_every_cited_section_of_the_design_is_there() -> None:
    sections = set(re.findall(r"^## (\d+)\. ", read("docs/design.md"), re.MULTILINE))
    files = [path for room in (*ROOMS, "tests", "bench") for path in (ROOT / room).rglob("*.*") if path.is_file()]
    texts = [path.read_text(encoding="utf-8") for path in files if path.suffix in (".py", ".sql")]
    cited = {number for text in [*texts, read("pyproject.toml"), read("manage.py")] for number in CITED.findall(text)}

    assert cited
    assert cited - sections == set()


def test_the_tests_that_prove_security_exist() -> None:
    named = set(re.findall(r"\btest_\w+\.py", read("docs/security.md")))

    assert named - {path.name for path in (ROOT / "tests").rglob("test_*.py")} == set()


def test_the_picture_shows_every_room_and_no_other() -> None:
    """The rooms that each app has under the same name are written once below the picture."""
    shown = set(re.findall(r'data-room="([\w/]+)"', read("docs/architecture.svg")))
    there = {
        path.parent.relative_to(ROOT).as_posix()
        for room in ROOMS
        for path in (ROOT / room).glob("*/__init__.py")
        if room != "sandbox" and path.parent.name not in EVERYWHERE
    }

    assert there - shown == set()
    assert [room for room in there if not read(f"{room}/__init__.py").startswith('"""')] == []
    assert [room for room in shown if not (ROOT / room).is_dir()] == []


def test_the_command_line_is_called_by_its_own_name() -> None:
    """In pages, examples of variables and the texts of the code; the file is named where it is meant."""
    pages = [ROOT / name for name in PAGES if "/adr/" not in name and name not in ("CHANGELOG.md", "CONTRIBUTING.md")]
    code = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    texts = {path: path.read_text(encoding="utf-8") for path in (*pages, *code, ROOT / ".env.example")}
    called = {path: re.search(r"manage\.py [a-z]\w*", text) for path, text in texts.items()}

    assert [f"{path.relative_to(ROOT)}: {found[0]}" for path, found in called.items() if found] == []
