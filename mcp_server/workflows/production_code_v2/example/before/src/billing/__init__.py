"""Bills: money, invoices and what is owed."""
