"""The ASGI application and its server, with health, metrics and limits on connections."""
