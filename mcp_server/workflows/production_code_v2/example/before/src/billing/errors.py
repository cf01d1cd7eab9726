"""Errors of the billing domain."""


class BillingError(Exception):
    """Something about a bill is not as it must be."""
