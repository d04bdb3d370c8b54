"""The maker of mutants: every line that `python -m tests.mutate` promises to try is among them."""

from __future__ import annotations

from tests.mutants import registrations, statements, updates

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
    query = "UPDATE item SET sold = true WHERE id = 1 AND NOT (sold OR lost) RETURNING id;"

    assert [mutant.text for mutant in statements(query)] == [
        "UPDATE item SET sold = true WHERE TRUE AND NOT (sold OR lost) RETURNING id;",
        "UPDATE item SET sold = true WHERE id = 1 AND TRUE RETURNING id;",
    ]
