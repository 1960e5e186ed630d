"""What is sent in bad faith to sign a browser in."""

import json

import httpx
import pytest

from models import Organization
from tests.browser import WHO, Browser, rows


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"null", 400),
        (b"[]", 400),
        (b"{}", 400),
        (b'"mg_x"', 400),
        (b'{"token": null}', 400),
        (b'{"token": 1}', 400),
        (b'{"token": ["mg_x"]}', 400),
        (b'{"token": "mg_a", "token": "mg_b"}', 400),
        (b'{"token": NaN}', 400),
        (b"\xff\xfe", 400),
        (b"[" * 60_000, 400),
        (b'{"token": ""}', 401),
        (b'{"token": "mg_unknown"}', 401),
        (b'{"token": "\\u0000"}', 401),
        (b'{"token": "\\ud800"}', 401),
        (b'{"token": "mg_' + b"x" * 60_000 + b'"}', 401),
        (b'{"token": "mg_' + b"x" * 70_000 + b'"}', 413),
    ],
)
async def test_what_is_no_token_signs_nobody_in(
    browser: Browser, organization: Organization, body: bytes, status: int
) -> None:
    answer = await browser.session("POST", body)
    assert answer.status_code == status
    [error] = answer.json()["errors"]
    expected = {400: "BAD_USER_INPUT", 401: "UNAUTHENTICATED", 413: "TOO_COMPLEX"}
    assert error["extensions"]["code"] == expected[status]
    assert ("www-authenticate" in answer.headers) is (status == 401)
    assert "set-cookie" not in answer.headers
    assert await rows(organization) == 0


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "PATCH"])
async def test_a_session_is_posted_or_deleted(browser: Browser, token: str, method: str) -> None:
    await browser.sign_in(token)
    answer = await browser.session(method)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST, DELETE")
    assert await browser.codes(WHO) == []


@pytest.mark.parametrize("client", ["", "admin", "Dashboard", "dashboard, portal", "x" * 9_000])
async def test_a_page_says_which_client_it_is(browser: Browser, token: str, client: str) -> None:
    browser.client = client
    assert (await browser.sign_in(token)).status_code == 400
    assert (await browser.sign_out()).status_code == 400
    if client:
        assert await browser.codes(WHO) == ["BAD_USER_INPUT"]


async def test_other_content_is_no_token(browser: Browser, token: str) -> None:
    body = json.dumps({"token": token}).encode()
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        assert (await browser.session("POST", body, content_type=kind)).status_code == 415


async def test_a_cookie_that_was_not_set_here_counts_for_nothing(
    browser: Browser, token: str
) -> None:
    await browser.sign_in(token)
    own = browser.cookie
    for cookie in (
        "metergraph-dashboard=",
        "metergraph-dashboard",
        "metergraph-dashboard=mg_browser_unknown",
        f"metergraph-dashboard={'x' * 30_000}",
        "metergraph-dashboard=\u00e9",
        f"{own}; metergraph-dashboard=mg_browser_other",  # two, of which one was tossed in
        f"metergraph-dashboard=mg_browser_other; {own}",
        own.upper(),
        f"x{own}",
        own.replace("=", "=="),
        "=; ; ;=;;,",
    ):
        raw = cookie.encode("latin-1").decode("latin-1")
        headers = httpx.Headers(browser.headers(), encoding="latin-1")
        headers["cookie"] = raw
        answer = await browser.http.post("/graphql", json={"query": WHO}, headers=headers)
        [error] = answer.json()["errors"]
        assert error["extensions"]["code"] == "UNAUTHENTICATED", cookie
    # What else the host has set does not matter, nor do spaces.
    for cookie in (f"a=b; {own}", f"{own};c=d", f"  {own}  ", f"{own}; {own}"):
        assert await browser.codes(WHO, cookie=cookie) == [], cookie
