"""The settings and the clock: leaves that every room may import."""
