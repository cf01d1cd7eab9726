"""Tests of the criteria in docs/changes/proration.md."""

from datetime import date
from decimal import Decimal

import pytest

from billing.errors import InvalidChangeDate
from billing.invoice import upgrade_line
from billing.proration import prorate

FIRST, LAST = date(2031, 4, 1), date(2031, 4, 30)


def charge(changed_on: date, *, new: str = "30.00") -> Decimal:
    return prorate(
        old=Decimal("10.00"), new=Decimal(new), changed_on=changed_on, first=FIRST, last=LAST
    )


def test_upgrade_on_day_16_charges_half_the_difference() -> None:  # AC-1
    assert charge(date(2031, 4, 16)) == Decimal("10.00")


def test_half_a_cent_is_charged_as_one() -> None:  # AC-1
    assert charge(date(2031, 4, 16), new="10.01") == Decimal("0.01")


def test_invoice_line_shows_the_prorated_charge() -> None:  # AC-1
    line = upgrade_line(Decimal(10), Decimal(30), date(2031, 4, 16), FIRST, LAST)

    assert line == "Upgrade from 10.00 EUR to 30.00 EUR on 2031-04-16: 10.00 EUR"


def test_change_on_first_day_charges_the_whole_difference() -> None:  # AC-2
    assert charge(FIRST) == Decimal("20.00")


def test_change_on_last_day_charges_one_day() -> None:  # AC-2
    assert charge(LAST) == Decimal("0.67")


@pytest.mark.parametrize("day", [date(2031, 3, 31), date(2031, 5, 1)])
def test_date_outside_the_period_is_refused(day: date) -> None:  # AC-3
    with pytest.raises(InvalidChangeDate, match=f"{day} is not between 2031-04-01 and 2031-04-30"):
        charge(day)
