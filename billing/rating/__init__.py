"""What usage costs: price schemes, exact amounts and the lines of invoices. Pure."""
