"""What changed: wake-ups of workers, and the feeds that subscribers follow."""
