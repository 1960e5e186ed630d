"""Ingestion: events are checked, stored once and acknowledged."""
