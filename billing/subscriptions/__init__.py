"""Subscriptions: creating, renewing and canceling them."""
