"""Webhooks: endpoints, signatures, and deliveries of what the outbox has."""
