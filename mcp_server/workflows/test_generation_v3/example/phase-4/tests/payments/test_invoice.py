"""Cases of reports/invoice-plan.md."""

from datetime import date
from decimal import Decimal

import pytest

from payments.invoice import CurrencyMismatch, Invoice, Line, Overpayment, create_invoice

DUE = date(2031, 3, 1)


def an_invoice(total: str = "10.00") -> Invoice:
    return create_invoice([Line(Decimal(total))], DUE)


@pytest.mark.xfail(strict=True, reason="F-01: rounds each line instead of the total")
def test_tc_01_total_is_rounded_once() -> None:
    invoice = create_invoice([Line(Decimal("0.334"))] * 3, DUE)

    assert invoice.total == Decimal("1.00")


@pytest.mark.parametrize(
    ("today", "overdue"),
    [
        pytest.param(date(2031, 3, 1), False, id="TC-02-due-today"),
        pytest.param(date(2031, 3, 2), True, id="TC-05-one-day-late"),
    ],
)
def test_overdue_starts_the_day_after(today: date, overdue: bool) -> None:
    assert an_invoice().is_overdue(today) is overdue


def test_tc_03_two_currencies_are_refused() -> None:
    lines = [Line(Decimal("1.00")), Line(Decimal("1.00"), "USD")]

    with pytest.raises(CurrencyMismatch, match="EUR and USD"):
        create_invoice(lines, DUE)


def test_tc_04_payment_above_balance_is_refused() -> None:
    invoice = an_invoice("10.00")

    with pytest.raises(Overpayment, match=r"^0\.01 too much"):
        invoice.add_payment(Decimal("10.01"))

    assert invoice.payments == []


def test_tc_07_exact_payment_settles_the_invoice() -> None:
    invoice = an_invoice("10.00")

    invoice.add_payment(Decimal("10.00"))

    assert invoice.payments == [Decimal("10.00")]
    assert not invoice.is_overdue(date(2031, 3, 2))
