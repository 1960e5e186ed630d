"""Events as they arrive: checked, stored once, acknowledged."""
