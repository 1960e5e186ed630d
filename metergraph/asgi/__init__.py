"""The ASGI application and its server: health, metrics, bounded HTTP."""
