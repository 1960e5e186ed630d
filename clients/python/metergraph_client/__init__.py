"""The Python client of Metergraph.

    client = Metergraph("https://usage.example", token)
    client.ingest("ai_usage", external_customer_id="acme", metadata={"tokens": 392})

`metergraph_client.llm` makes events of the responses of OpenAI's and Anthropic's SDKs.
"""

from metergraph_client.async_client import AsyncMetergraph
from metergraph_client.client import Metergraph
from metergraph_client.errors import (
    ApiError,
    ClosedError,
    FlushTimeoutError,
    InvalidInputError,
    MetergraphError,
    QueueFullError,
    UndeliveredError,
    UnreachableError,
    UserError,
)
from metergraph_client.events import Event
from metergraph_client.ingestion import Stats
from metergraph_client.outcomes import Rejection
from metergraph_client.reads import CustomerMeter, UsageCheck

__all__ = [
    "ApiError",
    "AsyncMetergraph",
    "ClosedError",
    "CustomerMeter",
    "Event",
    "FlushTimeoutError",
    "InvalidInputError",
    "Metergraph",
    "MetergraphError",
    "QueueFullError",
    "Rejection",
    "Stats",
    "UndeliveredError",
    "UnreachableError",
    "UsageCheck",
    "UserError",
]
