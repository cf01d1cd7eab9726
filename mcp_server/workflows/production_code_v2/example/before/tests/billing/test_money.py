from decimal import Decimal

from billing.money import shown, to_cents


def test_half_a_cent_is_rounded_up() -> None:
    assert to_cents(Decimal("0.125")) == Decimal("0.13")


def test_thousands_are_grouped() -> None:
    assert shown(Decimal(1234)) == "1,234.00 EUR"


def test_negative_amounts_are_shown_in_brackets() -> None:
    assert shown(Decimal(-5)) == "(5.00 EUR)"
