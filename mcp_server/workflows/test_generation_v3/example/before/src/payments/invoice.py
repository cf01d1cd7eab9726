"""Invoices: what is owed, when it is due, and what has been paid."""

from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


class CurrencyMismatch(ValueError):
    """The lines of one invoice are in several currencies."""


class Overpayment(ValueError):
    """A payment is more than what is still owed."""


@dataclass(frozen=True)
class Line:
    """One line of an invoice."""

    price: Decimal
    currency: str = "EUR"


@dataclass
class Invoice:
    """An invoice and its payments."""

    due: date
    total: Decimal
    payments: list[Decimal] = field(default_factory=list)

    def is_overdue(self, today: date | None = None) -> bool:
        """Say whether the due day has passed and something is still owed."""
        return (today or date.today()) > self.due and sum(self.payments) < self.total

    def add_payment(self, amount: Decimal) -> None:
        """Record a payment; raises Overpayment."""
        excess = sum(self.payments) + amount - self.total
        if excess > 0:
            raise Overpayment(f"{excess} too much")
        self.payments.append(amount)


def create_invoice(lines: list[Line], due: date) -> Invoice:
    """Build an invoice, its total rounded to the cent; raises CurrencyMismatch."""
    if not lines:
        raise ValueError("an invoice needs a line")
    currencies = sorted({line.currency for line in lines})
    if len(currencies) > 1:
        raise CurrencyMismatch(" and ".join(currencies))
    total = sum((line.price.quantize(CENT, ROUND_HALF_UP) for line in lines), Decimal())
    return Invoice(due, total)
