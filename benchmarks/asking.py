"""A client that asks one thing at a time and measures how long the answers take."""

import time
from typing import Any

import orjson

from benchmarks.http_client import HttpConnection


class Asking:
    """GraphQL over one connection."""

    def __init__(self, connection: HttpConnection) -> None:
        self._connection = connection

    async def ask(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        """Returns the answer, which must have no errors."""
        body = orjson.dumps({"query": query, "variables": variables})
        answer: dict[str, Any] = orjson.loads(await self._connection.post(body))
        assert "errors" not in answer, answer
        return answer

    async def seconds(self, query: str, variables: dict[str, Any], calls: int) -> list[float]:
        """Asks so many times and returns the seconds that each answer took.

        It asks once more before that, so that the statement is prepared.
        """
        taken = []
        for _ in range(calls + 1):
            started = time.perf_counter()
            await self.ask(query, variables)
            taken.append(time.perf_counter() - started)
        return taken[1:]

    async def close(self) -> None:
        """Closes the connection."""
        await self._connection.close()
