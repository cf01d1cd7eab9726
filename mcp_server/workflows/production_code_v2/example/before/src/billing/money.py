"""Amounts of money: Decimal everywhere, rounded at the edge only."""

from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


def to_cents(amount: Decimal) -> Decimal:
    """Round half up to the cent."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def shown(amount: Decimal) -> str:
    """Return an amount as customers read it."""
    return f"{to_cents(amount):,} EUR"
