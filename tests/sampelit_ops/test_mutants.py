"""The maker of mutants: every line that `python -m tests.mutate` promises to try is among them."""

from __future__ import annotations

from tests.mutate.mutants import registrations, statements, updates

WIRING = """
class ShopConfig:
    def ready(self) -> None:
        from shop import checks, jobs
        jobs.register()

def register() -> None:
    tick.every("shop.sell", 60, sell)
    for kind in (Sell(), Buy()):
        kinds.register(kind)

@anchor_source
def sold(): ...

SENTENCES = {"shop.sold": "{actor} sold it"}

class Sell:
    steps = [step("pay", pay)]
"""
STORE = """
def sell(pk):
    mine = Item.objects.filter(pk=pk).exclude(sold=True)
    if mine.update(sold=True):
        Item.objects.filter(shelf=1).update(shelf=2)
    return Item.objects.advance(pk, "new", "old")
"""


def test_every_way_to_register_can_be_missing() -> None:
    assert sorted(mutant.what for mutant in registrations(WIRING)) == [
        '"shop.sold" -> "gone"',
        "@anchor_source -> gone",
        "Buy() -> *()",
        "Sell() -> *()",
        "from shop import checks, jobs -> from shop import job",
        "jobs.register() -> pass",
        "kinds.register(kind) -> pass",
        'step("pay", pay) -> *()',
        'tick.every("shop.sell", 60, sell) -> pass',
    ]


def test_every_condition_and_every_answer_of_an_update_can_be_lost() -> None:
    assert sorted(mutant.what for mutant in updates(STORE)) == [
        'Item.objects.advance(pk, "new", "old") -> (Item.objects.advanc',
        "mine.update(sold=True) -> (mine.update(sold=Tr",
        "pk=pk -> **{}",
        "shelf=1 -> **{}",
        "sold=True -> **{}",
    ]


def test_every_condition_in_sql_can_be_lost() -> None:
    query = "UPDATE {} SET sold = (SELECT 1 WHERE a AND b) WHERE id = {} AND NOT (sold OR lost AND gone) RETURNING id;"

    assert [mutant.text for mutant in statements(query)] == [
        query.replace("id = {}", "(id = {} OR true)"),
        query.replace("NOT (sold OR lost AND gone)", "(NOT (sold OR lost AND gone) OR true)"),
    ]


def test_what_only_names_the_verbs_is_no_statement() -> None:
    assert not list(statements("SELECT has_table_privilege(oid, 'INSERT, UPDATE, DELETE') WHERE oid = 1"))


def test_sql_in_python_stays_python() -> None:
    source = 'run("UPDATE item SET sold = true "\n    "WHERE id = %s", 7)'

    assert [mutant.text for mutant in updates(source)] == [
        "run('UPDATE item SET sold = true WHERE (id = %s OR true)', 7)"
    ]
