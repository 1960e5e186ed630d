"""Reads usage: over ranges and their windows, over periods of customers, and in previews."""
