"""Voids events: they stay stored, with a reason, but count nowhere from then on."""
