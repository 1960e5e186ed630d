"""A server that is away is mentioned when it goes and when it is back, not at every try."""

from typing import Any

from structlog.testing import capture_logs

from workers.outages import Outage, outlives_database


def test_an_outage_is_said_once_with_each_reason_and_its_end_once() -> None:
    outage = Outage("Redis")
    with capture_logs() as lines:
        outage.back()
        outage.away(ConnectionError("refused"))
        outage.away(ConnectionError("refused"))
        outage.away(ConnectionError("no password"))
        outage.back()
        outage.back()
    assert [(line["event"], line.get("reason")) for line in lines] == [
        ("Redis cannot be used; trying again", "refused"),
        ("Redis cannot be used; trying again", "no password"),
        ("Redis is back", None),
    ]


async def test_a_job_outlives_the_database_and_says_when_it_is_back() -> None:
    answers = iter([ConnectionRefusedError("refused"), ConnectionRefusedError("refused"), None])

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
