"""Monthly invoices; an invoice never changes once it was sent."""

FLAT_PRICE_CENTS = 49_00


def amount(customer: str) -> int:
    """Return what `customer` owes for a month, in cents."""
    del customer
    return FLAT_PRICE_CENTS
