"""The settings and the clock, which every room may import."""
