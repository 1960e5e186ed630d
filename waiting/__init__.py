"""Waiting: what an outage is, deadlines, and turns between organizations."""
