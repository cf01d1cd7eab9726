"""Errors of the billing domain."""

from datetime import date
from decimal import Decimal


class BillingError(Exception):
    """Something about a bill is not as it must be."""


class InvalidChangeDate(BillingError):
    """The plan changed on a day outside the billing period."""

    def __init__(self, *, changed_on: date, first: date, last: date) -> None:
        """Name the day and the period."""
        super().__init__(f"{changed_on} is not between {first} and {last}")


class DowngradeNotSupported(BillingError):
    """The new price is below the old one, for which there is no rule yet."""

    def __init__(self, *, old: Decimal, new: Decimal) -> None:
        """Name both prices."""
        super().__init__(f"from {old} down to {new}")
