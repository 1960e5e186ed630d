"""The fields of Subscription, one family a file."""
