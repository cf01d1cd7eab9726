import pytest

from api.usage_page import Account, NotAllowed, show
from billing.invoice import amount
from billing.usage import Month, UsageReader

MARCH = Month(2026, 3)
PILOT = Account("pilot", frozenset({"billing"}))


@pytest.fixture
def usage(database):
    rows = [(f"k{n}", "pilot", "/parcels", "2026-03-12 09:00:00") for n in range(41_200)]
    database.executemany("INSERT INTO usage_events VALUES (?, ?, ?, ?)", rows)
    return UsageReader(database)


def test_an_owner_sees_calls_and_cost(usage):
    assert show(PILOT, MARCH, usage) == "41,200 calls, 82.40 EUR"


def test_page_and_invoice_show_the_same_sum(usage):
    assert f"{amount('pilot', MARCH, usage) / 100:.2f} EUR" in show(PILOT, MARCH, usage)


def test_a_member_without_the_billing_role_is_refused(usage):
    with pytest.raises(NotAllowed):
        show(Account("pilot"), MARCH, usage)


def test_another_account_sees_only_its_own_usage(usage):
    assert show(Account("acme", PILOT.roles), MARCH, usage) == "0 calls, 0.00 EUR"
