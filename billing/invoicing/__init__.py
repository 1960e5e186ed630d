"""Invoices: what is due, how it is issued, and estimates of the next ones."""
