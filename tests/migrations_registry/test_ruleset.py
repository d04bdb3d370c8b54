"""The rule-set's name: it follows what the rules say, and nothing of where or how it is written down."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from migrations_registry.analysis.version import ruleset
from migrations_registry.analysis.version.equivalence import ANALYSIS, PACKAGE
from migrations_registry.analysis.version.source_digest import source_digest

KNOWN = "0919012fa1e24f43"
WORDS = "HIGH, LOW = 'high', 'low'\n"
RULES = '''"""Rules."""
from pkg.registry import rule
from pkg.words import HIGH, LOW
from pkg import sizes

DROP = rule("M-DROP", HIGH, "drops {name}", bad=("DROP TABLE x",))
ADD = rule("M-ADD", LOW, "adds to {name}", "safe " "form", bad=("ALTER TABLE x",))


def judge(node: dict, *, limit: int = 5) -> object:
    """Which rule."""
    # a table's size
    found = sizes.size_of(node)
    many = [each for each in found if each > limit]
    return DROP if many else ADD


def beside(node):
    return judge(node, limit=9)
'''
ADD = 'ADD = rule("M-ADD", LOW, "adds to {name}", "safe " "form", bad=("ALTER TABLE x",))\n'
PACKAGED = {
    "registry.py": "def rule(*words, **samples):\n    return words\n",
    "words.py": WORDS,
    "sizes.py": "KNOWN = open('names.txt')\ndef size_of(node):\n    return KNOWN\n",
    "rules.py": RULES,
    "names.txt": "abs\n",
}


@pytest.fixture
def digest(tmp_path: Path):
    def of(changed: dict[str, str]) -> str:
        for path in tmp_path.glob("*"):
            path.unlink()
        for name, text in (PACKAGED | changed).items():
            if text:
                (tmp_path / name).write_text(text)
        return source_digest(tmp_path, "pkg")

    return of


def test_requests_that_wait_keep_their_approvals():
    now = source_digest(ANALYSIS, PACKAGE, skip="version")
    assert ruleset() == KNOWN, (
        f"The rules' sources now have the digest {now}: every approval of a migration that waits would be void. If no "
        "file is judged differently, add the digest to SAME_JUDGEMENT and say why. If one is, write the digest into "
        "this test and into tests/upgrade, and tell in CHANGELOG.md that approvals are void."
    )


SAME = {
    "a moved file": {"words.py": "", "terms.py": WORDS, "rules.py": RULES.replace("pkg.words", "pkg.terms")},
    "a module under another name": {
        "sizes.py": "",
        "bytes_of.py": PACKAGED["sizes.py"],
        "rules.py": RULES.replace("import sizes", "import bytes_of").replace("sizes.size_of", "bytes_of.size_of"),
    },
    "a definition in another file": {
        "words.py": "",
        "rules.py": RULES.replace("from pkg.words import HIGH, LOW\n", WORDS),
    },
    "an import by name": {
        "rules.py": RULES.replace("from pkg import sizes", "from pkg.sizes import size_of").replace(
            "sizes.size", "size"
        )
    },
    "another layout": {"rules.py": ast.unparse(ast.parse(RULES))},
    "another order": {"rules.py": RULES.replace(ADD, "").replace("DROP = rule", f"{ADD}DROP = rule")},
    "other words for readers": {
        "rules.py": RULES.replace("Rules.", "The rules.").replace("Which rule.", "One.").replace("a table's", "its")
    },
    "another sample": {"rules.py": RULES.replace('("DROP TABLE x",)', '("DROP TABLE x", "DROP TABLE y")')},
    "other types": {"rules.py": RULES.replace("-> object", "-> tuple").replace("node: dict", "node")},
    "other names of locals": {"rules.py": RULES.replace("found", "sizes_found").replace("each", "size")},
    "other names of definitions": {"rules.py": RULES.replace("judge", "choose").replace("DROP ", "DROPPED ")},
    "a list under another name": {
        "names.txt": "",
        "known.txt": "abs\n",
        "sizes.py": PACKAGED["sizes.py"].replace("names.txt", "known.txt"),
    },
}
OTHER = {
    "a rule's id": RULES.replace('"M-DROP"', '"M-DROPS"'),
    "a rule's severity": RULES.replace('"M-ADD", LOW', '"M-ADD", HIGH'),
    "a rule's message": RULES.replace("drops {name}", "removes {name}"),
    "a rule's safe form": RULES.replace('"form"', '"forms"'),
    "two rules changed over": RULES.replace("DROP if many else ADD", "ADD if many else DROP"),
    "a limit": RULES.replace("int = 5", "int = 6"),
    "a caller's limit": RULES.replace("limit=9", "limit=10"),
    "a comparison": RULES.replace("each > limit", "each >= limit"),
    "what a local stands for": RULES.replace("if many", "if found"),
    "a parameter that callers name": RULES.replace("limit", "most"),
    "a rule less": RULES.replace("ADD = rule", "ADD = DROP or rule"),
    "a function from elsewhere": RULES.replace("from pkg import sizes", "import sizes"),
}


@pytest.mark.parametrize("what", SAME)
def test_what_judges_the_same_keeps_its_digest(digest, what):
    assert PACKAGED | SAME[what] != PACKAGED
    assert digest(SAME[what]) == digest({})


@pytest.mark.parametrize("what", OTHER)
def test_what_may_judge_differently_has_another_digest(digest, what):
    assert OTHER[what] != RULES
    assert digest({"rules.py": OTHER[what]}) != digest({})


def test_constants_that_change_places_have_another_digest(digest):
    assert digest({"words.py": WORDS.replace("HIGH, LOW", "LOW, HIGH")}) != digest({})


def test_another_word_in_a_list_has_another_digest(digest):
    assert digest({"names.txt": "abs now\n"}) != digest({})
