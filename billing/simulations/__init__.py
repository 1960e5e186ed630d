"""Simulations: what customers would have paid for past usage at prices that do not exist."""
