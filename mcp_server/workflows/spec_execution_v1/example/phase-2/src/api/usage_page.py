"""The page on which account owners see what the month has cost so far."""

from dataclasses import dataclass

from billing.usage import Month, UsageReader


class NotAllowed(Exception):
    """The account may not see billing."""


@dataclass(frozen=True)
class Account:
    """Who asks, as the token says: never as the request says (T-1)."""

    customer: str
    roles: frozenset[str] = frozenset()


def show(account: Account, month: Month, usage: UsageReader) -> str:
    """Return the usage of the account's own customer; raises NotAllowed."""
    if "billing" not in account.roles:
        raise NotAllowed
    used = usage.monthly_usage(account.customer, month)
    return f"{used.calls:,} calls, {used.cents / 100:.2f} EUR"
