"""Cached usage compared with the raw events, and rebuilt where it differs."""
