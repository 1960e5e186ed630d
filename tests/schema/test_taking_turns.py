"""One operation does not take all the connections that there are from everybody else."""

import asyncio
from typing import Any

import pytest

from metering.preview import Preview
from resolvers.queries import meters
from tests.graphql_client import Api

PREVIEW = "meterPreview(filter: {}, aggregation: {function: COUNT}) { matchedEvents }"


async def test_previews_of_an_operation_take_turns(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, most = 0, 0

    async def counted(*_arguments: Any) -> Preview:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return Preview(matched=7, skipped=0, quantity=None)

    monkeypatch.setattr(meters, "preview", counted)
    previews = " ".join(f"p{number}: {PREVIEW}" for number in range(10))
    answer = await api.get(f"{{ {previews} }}")
    assert answer == {f"p{number}": {"matchedEvents": 7} for number in range(10)}
    assert most == 1
