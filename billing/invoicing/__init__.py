"""Invoices: which are due, what they say, and what the next ones would say."""
