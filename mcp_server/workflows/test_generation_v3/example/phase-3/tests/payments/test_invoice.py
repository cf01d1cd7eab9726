"""Cases of reports/invoice-plan.md."""

from datetime import date
from decimal import Decimal

from payments.invoice import Invoice, Line, create_invoice

DUE = date(2031, 3, 1)


def an_invoice(total: str = "10.00") -> Invoice:
    return create_invoice([Line(Decimal(total))], DUE)


def test_tc_07_exact_payment_settles_the_invoice() -> None:
    invoice = an_invoice("10.00")

    invoice.add_payment(Decimal("10.00"))

    assert invoice.payments == [Decimal("10.00")]
    assert not invoice.is_overdue(date(2031, 3, 2))
