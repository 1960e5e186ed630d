"""The life of a subscription: begun, changed, renewed by the cycle, ended."""
