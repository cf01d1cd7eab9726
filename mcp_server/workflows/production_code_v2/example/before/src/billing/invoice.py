"""Builds the lines of an invoice."""

from decimal import Decimal

from billing.money import shown


def upgrade_line(old: Decimal, new: Decimal) -> str:
    """Return the line for an upgrade: the whole new price, whatever the day."""
    return f"Upgrade from {shown(old)}: {shown(new)}"
