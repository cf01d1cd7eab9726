"""What a customer owes when a plan changes in the middle of a billing period."""

from datetime import date
from decimal import Decimal

from billing.errors import DowngradeNotSupported, InvalidChangeDate
from billing.money import to_cents


def prorate(*, old: Decimal, new: Decimal, changed_on: date, first: date, last: date) -> Decimal:
    """Return the part of the price difference for the days that are left.

    The day of the change and the last day count. Rounded half up to the cent. Pure, so safe to
    repeat; raises InvalidChangeDate and DowngradeNotSupported.
    """
    if not first <= changed_on <= last:
        raise InvalidChangeDate(changed_on=changed_on, first=first, last=last)
    if new < old:
        raise DowngradeNotSupported(old=old, new=new)
    days_left = (last - changed_on).days + 1
    days = (last - first).days + 1
    return to_cents((new - old) * days_left / days)
