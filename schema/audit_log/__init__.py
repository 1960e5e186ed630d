"""The audit log: an entry for every change, without secrets."""
