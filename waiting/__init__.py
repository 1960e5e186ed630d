"""How long work waits, for what, and in which order: outages, deadlines, turns and shares."""
