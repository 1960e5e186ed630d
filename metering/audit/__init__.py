"""Compares cached usage with the raw events and rebuilds what differs."""
