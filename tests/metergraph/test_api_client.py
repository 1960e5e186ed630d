"""What the commands' client does when the API does not answer as it should."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest

from metergraph.api_client import ApiClient, ApiError

Answer = Callable[[], httpx.Response]


def answer(status: int = 200, headers: dict[str, str] | None = None, **body: Any) -> Answer:
    return lambda: httpx.Response(status, headers=headers, json=body)


def error(code: str, **extensions: Any) -> dict[str, Any]:
    return {"message": f"It is {code}", "extensions": {"code": code, **extensions}}


def away() -> httpx.Response:
    raise httpx.ConnectError("connection refused")


def silent() -> httpx.Response:
    raise httpx.ReadTimeout("")


GOOD = answer(data={"ok": True})


class Api:
    """Gives one answer after the other, and the last for ever."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.waits: list[float] = []
        self.notes: list[str] = []

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return (self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])()

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

    async def execute(self) -> Any:
        async with ApiClient(
            "http://api.test/",
            "mg_secret",
            transport=httpx.MockTransport(self._answer),
            on_retry=self.notes.append,
            sleep=self._sleep,
        ) as client:
            return await client.execute("query Q { ok }", {"n": Decimal("0.10")})


async def test_an_operation_is_sent_with_the_token_and_exact_numbers() -> None:
    api = Api(lambda: httpx.Response(200, content=b'{"data": {"n": 0.30000000000000004}}'))
    assert await api.execute() == {"n": Decimal("0.30000000000000004")}
    [request] = api.requests
    assert str(request.url) == "http://api.test/graphql"
    assert request.headers["authorization"] == "Bearer mg_secret"
    assert request.content == b'{"query":"query Q { ok }","variables":{"n":0.10}}'


@pytest.mark.parametrize(
    "failure",
    [
        away,
        silent,
        answer(503),
        lambda: httpx.Response(502, text="<html>Bad gateway</html>"),
        answer(errors=[error("INTERNAL")], data=None),
    ],
)
async def test_a_passing_failure_is_retried(failure: Answer) -> None:
    api = Api(failure, failure, GOOD)
    assert await api.execute() == {"ok": True}
    assert len(api.requests) == 3
    assert [0.5 <= api.waits[0] <= 1, 1 <= api.waits[1] <= 2] == [True, True]
    assert all("Trying again in" in note for note in api.notes)


@pytest.mark.parametrize(
    "failure",
    [
        answer(429, {"retry-after": "7"}, errors=[error("RATE_LIMITED")]),
        answer(errors=[error("RATE_LIMITED", retryAfterSeconds=7)]),
    ],
)
async def test_a_rate_limit_is_waited_for(failure: Answer) -> None:
    api = Api(failure, GOOD)
    assert await api.execute() == {"ok": True}
    assert api.waits == [7]


async def test_an_unreachable_api_is_given_up() -> None:
    api = Api(away)
    with pytest.raises(ApiError, match=r"cannot be reached: connection refused\. Gave up after 10"):
        await api.execute()
    assert len(api.requests) == 10
    assert 60 < sum(api.waits) < 200
    assert max(api.waits) <= 30


@pytest.mark.parametrize(
    ("refusal", "culprit"),
    [
        (answer(401, errors=[error("UNAUTHENTICATED")]), "UNAUTHENTICATED"),
        (answer(errors=[error("FORBIDDEN")], data=None), "FORBIDDEN"),
        (answer(413, errors=[error("TOO_COMPLEX")]), "TOO_COMPLEX"),
        (lambda: httpx.Response(200, text="<html>Welcome</html>"), "http://api.test/graphql"),
        (lambda: httpx.Response(404, json=["Not found"]), "http://api.test/graphql"),
    ],
)
async def test_a_refusal_is_final(refusal: Answer, culprit: str) -> None:
    api = Api(refusal)
    with pytest.raises(ApiError, match=culprit):
        await api.execute()
    assert len(api.requests) == 1
