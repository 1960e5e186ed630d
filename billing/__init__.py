"""Turns usage into money: prices, credits, periods, subscriptions and invoices."""
