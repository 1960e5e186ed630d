"""arq workers: they count events, run billing cycles and audit cached usage."""
