"""Monthly invoices; an invoice never changes once it was sent."""

from billing.usage import Month, UsageReader

FLAT_PRICE_CENTS = 49_00


def amount(customer: str, month: Month | None = None, usage: UsageReader | None = None) -> int:
    """Return what `customer` owes for a month, in cents; flat while usage is not billed."""
    if month is None or usage is None:
        return FLAT_PRICE_CENTS
    return usage.monthly_usage(customer, month).cents
