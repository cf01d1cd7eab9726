"""Builds the lines of an invoice."""

from datetime import date
from decimal import Decimal

from billing.money import shown
from billing.proration import prorate


def upgrade_line(old: Decimal, new: Decimal, changed_on: date, first: date, last: date) -> str:
    """Return the line for an upgrade; raises what prorate raises."""
    owed = prorate(old=old, new=new, changed_on=changed_on, first=first, last=last)
    return f"Upgrade from {shown(old)} to {shown(new)} on {changed_on}: {shown(owed)}"
