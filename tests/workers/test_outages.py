"""A job of a worker goes on after an outage of PostgreSQL."""

from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from waiting.outages import Outage
from workers.outages import outlives_database


async def test_a_job_outlives_the_database_and_says_when_it_is_back() -> None:
    answers = iter(
        [ConnectionRefusedError("refused"), asyncpg.DiskFullError("no space left"), None]
    )

    @outlives_database
    async def job(ctx: dict[str, Any], argument: str) -> None:
        assert ctx
        assert argument == "x"
        error = next(answers)
        if error is not None:
            raise error

    context = {"database": Outage("PostgreSQL")}
    with capture_logs() as lines:
        for _ in range(3):
            await job(context, "x")
    assert [line["event"] for line in lines] == [
        "PostgreSQL cannot be used; trying again",
        "PostgreSQL is back",
    ]


async def test_a_bug_in_a_job_is_not_swallowed() -> None:
    @outlives_database
    async def job(_ctx: dict[str, Any]) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await job({"database": Outage("PostgreSQL")})
