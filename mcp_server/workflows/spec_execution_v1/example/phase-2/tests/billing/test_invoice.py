import pytest

from billing.invoice import amount
from billing.usage import Month, UsageReader

DECEMBER = Month(2026, 12)


def test_the_price_of_a_month_is_flat():
    assert amount("acme") == 49_00


@pytest.mark.parametrize(
    ("at", "month"),
    [("2026-12-31 23:59:59", DECEMBER), ("2027-01-01 00:00:00", DECEMBER.following)],
)
def test_an_event_belongs_to_one_month(database, at, month):
    rows = [(f"k{n}", "acme", "/parcels", at) for n in range(5)]
    database.executemany("INSERT INTO usage_events VALUES (?, ?, ?, ?)", rows)
    usage = UsageReader(database)

    cents = {each: amount("acme", each, usage) for each in (DECEMBER, DECEMBER.following)}

    assert cents == {DECEMBER: 0, DECEMBER.following: 0} | {month: 1}


def test_a_customer_without_events_owes_nothing(database):
    assert amount("acme", DECEMBER, UsageReader(database)) == 0
