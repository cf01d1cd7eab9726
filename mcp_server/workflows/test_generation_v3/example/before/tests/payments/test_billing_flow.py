from datetime import date
from decimal import Decimal

from payments.invoice import Line, create_invoice


def test_one_line_makes_an_invoice() -> None:
    invoice = create_invoice([Line(Decimal("12.50"))], date(2031, 3, 1))

    assert invoice.total == Decimal("12.50")


def test_a_new_invoice_has_no_payments() -> None:
    invoice = create_invoice([Line(Decimal("12.50"))], date(2031, 3, 1))

    assert invoice.payments == []
