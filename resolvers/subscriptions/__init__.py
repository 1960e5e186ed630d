"""The fields of Subscription, one module per family."""
