"""GraphQL over HTTP, WebSocket and server-sent events: documents, limits, costs and rates."""
