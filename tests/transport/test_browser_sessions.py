"""Browsers that sign in: what their cookies are good for, when they end, and where they count."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from http.cookies import SimpleCookie
from typing import Any

import httpx
import pytest
import websockets

from config import clock
from config.settings import Settings
from models import AccessToken, BrowserSession, CustomerSession, Organization
from schema.context import Scope
from schema.secrets import BROWSER_PREFIX, hash_secret
from tests.browser import Browser, begin
from tests.graphql_client import Api
from tests.ingesting import send
from tests.serving import new_token, served
from tests.websocket_client import USAGE, subscribe
from transport import browser_sessions, event_stream, websocket

WHO = "{ me { accessToken { name } customer { externalId } } }"
OPEN = """mutation ($input: CustomerSessionCreateInput!) {
  customerSessionCreate(input: $input) { token expiresAt portalUrl userErrors { code path } } }"""
OWN = "http://metergraph"


@pytest.fixture
def browser(http: httpx.AsyncClient) -> Browser:
    return Browser(http, OWN)


@pytest.fixture
async def token(organization: Organization) -> str:
    return await new_token(organization)


async def opened(api: Api, customer: str = "c1", **given: int) -> dict[str, Any]:
    answer = await api.get(OPEN, input={"externalCustomerId": customer, **given})
    payload: dict[str, Any] = answer["customerSessionCreate"]
    return payload


@pytest.fixture
async def link(api: Api, organization: Organization) -> str:
    """The token of a portal's link."""
    await send(organization.id, {"externalCustomerId": "c1"}, {"externalCustomerId": "c2"})
    token: str = (await opened(api))["token"]
    return token


async def rows(organization: Organization) -> int:
    return await BrowserSession.filter(organization_id=organization.id).count()


# ---------------------------------------------------------------- signing in and out


async def test_a_browser_signs_in_asks_and_signs_out(browser: Browser, token: str) -> None:
    answer = await browser.sign_in(token)
    assert answer.status_code == 200
    expires_at = datetime.fromisoformat(answer.json()["expiresAt"])
    assert abs(expires_at - clock.now() - browser_sessions.LASTS) < timedelta(minutes=1)
    assert answer.headers["cache-control"] == "no-store"
    [header] = answer.headers.get_list("set-cookie")
    [(name, cookie)] = SimpleCookie(header).items()
    assert name == "metergraph-dashboard"
    assert cookie.value.startswith(BROWSER_PREFIX)
    assert cookie["httponly"] is True
    assert (cookie["samesite"], cookie["path"], cookie["domain"]) == ("strict", "/", "")
    assert 43_100 < int(cookie["max-age"]) <= 43_200
    assert token not in answer.text + header

    assert (await browser.post(WHO)).json()["data"]["me"]["accessToken"] is not None

    kept = dict(browser.cookies)
    gone = await browser.sign_out()
    assert (gone.status_code, gone.content, browser.cookies) == (204, b"", {})
    assert await browser.codes(WHO) == ["UNAUTHENTICATED"]
    assert await browser.codes("{ __schema { queryType { name } } }") == []  # as for anyone
    browser.cookies = kept  # a copy that somebody made
    assert (await browser.post(WHO)).status_code == 401
    assert (await browser.sign_out()).status_code == 204  # as often as one likes


async def test_only_a_hash_is_stored(browser: Browser, token: str) -> None:
    await browser.sign_in(token)
    [secret] = browser.cookies.values()
    row = await BrowserSession.get(secret_hash=hash_secret(secret))
    assert secret.encode() not in bytes(row.secret_hash)


async def test_signing_in_again_replaces_what_the_browser_had(
    browser: Browser, token: str, organization: Organization
) -> None:
    await browser.sign_in(token)
    first = dict(browser.cookies)
    other = Browser(browser.http, OWN, cookies=dict(first))  # another tab
    assert await other.codes(WHO) == []
    await browser.sign_in(token)
    assert browser.cookies != first
    assert await browser.codes(WHO) == []
    assert await other.codes(WHO) == ["UNAUTHENTICATED"]
    assert await rows(organization) == 1


async def test_the_oldest_session_of_a_token_makes_place_beyond_the_bound(
    http: httpx.AsyncClient,
    token: str,
    organization: Organization,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(browser_sessions, "MOST_OF_CREDENTIAL", 2)
    elsewhere = Browser(http, OWN)
    await elsewhere.sign_in(await new_token(organization))
    browsers = [Browser(http, OWN) for _ in range(3)]
    for one in browsers:
        await one.sign_in(token)
    assert [await one.codes(WHO) for one in (*browsers, elsewhere)] == [
        ["UNAUTHENTICATED"],
        [],
        [],
        [],
    ]


async def test_a_portal_link_signs_in_as_often_as_it_is_opened(
    http: httpx.AsyncClient, link: str
) -> None:
    for _ in range(2):
        portal = Browser(http, OWN, "portal")
        assert (await portal.sign_in(link)).status_code == 200
        me = (await portal.post(WHO)).json()["data"]["me"]
        assert me == {"accessToken": None, "customer": {"externalId": "c1"}}
        assert list(portal.cookies) == ["metergraph-portal"]


async def test_the_dashboard_and_the_portal_keep_out_of_each_other_s_way(
    browser: Browser, token: str, link: str
) -> None:
    await browser.sign_in(token)
    portal = Browser(browser.http, OWN, "portal", cookies=browser.cookies)  # the same jar
    assert await portal.codes(WHO) == ["UNAUTHENTICATED"]
    await portal.sign_in(link)
    assert (await browser.post(WHO)).json()["data"]["me"]["customer"] is None
    assert (await portal.post(WHO)).json()["data"]["me"]["accessToken"] is None
    # A cookie under the other's name is nobody's.
    swapped = {
        "metergraph-dashboard": browser.cookies["metergraph-portal"],
        "metergraph-portal": browser.cookies["metergraph-dashboard"],
    }
    for client in ("dashboard", "portal"):
        crossed = Browser(browser.http, OWN, client, cookies=swapped)
        assert await crossed.codes(WHO) == ["UNAUTHENTICATED"]
    await portal.sign_out()
    assert await browser.codes(WHO) == []


async def test_each_takes_the_tokens_that_are_for_it(
    browser: Browser, token: str, link: str, organization: Organization
) -> None:
    portal = Browser(browser.http, OWN, "portal")
    for client, wrong in ((browser, link), (portal, token)):
        answer = await client.sign_in(wrong)
        assert answer.status_code == 403
        assert answer.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        assert "set-cookie" not in answer.headers
    assert await rows(organization) == 0


async def test_a_cookie_is_no_token_and_a_token_no_cookie(browser: Browser, token: str) -> None:
    await browser.sign_in(token)
    [secret] = browser.cookies.values()
    bearer = {"authorization": f"Bearer {secret}", "cookie": "", "x_metergraph_client": ""}
    assert await browser.codes(WHO, **bearer) == ["UNAUTHENTICATED"]
    assert await browser.codes(WHO, cookie=f"metergraph-dashboard={token}") == ["UNAUTHENTICATED"]
    assert (await browser.sign_in(secret)).status_code == 401


async def test_a_token_in_the_header_wins_over_a_cookie(
    browser: Browser, token: str, other_organization: Organization
) -> None:
    await browser.sign_in(token)
    other = f"Bearer {await new_token(other_organization, Scope.EVENTS_WRITE)}"
    query = "{ organization { name } }"
    assert (await browser.post(query, authorization=other)).json()["data"] == {
        "organization": {"name": "Other"}
    }
    assert (await browser.post(query, authorization="Bearer mg_no")).status_code == 401


async def test_sign_ins_count_against_the_token_s_rate(
    settings: Settings, database: object, organization: Organization, token: str
) -> None:
    slow = settings.model_copy(update={"rate_limit": "2/minute"})
    async with served(slow) as url, httpx.AsyncClient(base_url=url, timeout=60) as client:
        browser = Browser(client, url)
        statuses = [(await browser.sign_in(token)).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]


# ---------------------------------------------------------------- how a session ends


@pytest.mark.parametrize("client", ["dashboard", "portal"])
async def test_a_session_ends_by_itself(
    browser: Browser, token: str, link: str, client: str
) -> None:
    browser.client = client
    answer = await browser.sign_in(token if client == "dashboard" else link)
    expires_at = datetime.fromisoformat(answer.json()["expiresAt"])
    with clock.at(expires_at - timedelta(seconds=1)):
        assert await browser.codes(WHO) == []
    with clock.at(expires_at):
        assert await browser.codes(WHO) == ["UNAUTHENTICATED"]


async def test_a_session_lasts_no_longer_than_what_it_acts_for(
    browser: Browser, api: Api, token: str, link: str
) -> None:
    soon = clock.now() + timedelta(minutes=5)
    await AccessToken.filter(secret_hash=hash_secret(token)).update(expires_at=soon)
    assert datetime.fromisoformat((await browser.sign_in(token)).json()["expiresAt"]) == soon
    portal = Browser(browser.http, OWN, "portal")
    session = await CustomerSession.get(secret_hash=hash_secret(link))
    answer = await portal.sign_in(link)
    assert datetime.fromisoformat(answer.json()["expiresAt"]) == session.expires_at
    # A token whose end is moved up takes its browsers along.
    await AccessToken.filter(secret_hash=hash_secret(token)).update(expires_at=clock.now())
    assert await browser.codes(WHO) == ["UNAUTHENTICATED"]
    assert (await browser.sign_in(token)).status_code == 401


@pytest.mark.parametrize("how", ["token revoked", "session revoked", "opener revoked"])
async def test_a_session_ends_with_what_it_acts_for(
    browser: Browser, api: Api, token: str, link: str, how: str
) -> None:
    browser.client = "dashboard" if how == "token revoked" else "portal"
    await browser.sign_in(token if how == "token revoked" else link)
    assert await browser.codes(WHO) == []
    if how == "session revoked":
        await api.get(
            "mutation ($token: String!) {"
            " customerSessionRevoke(input: {token: $token}) { revoked } }",
            token=link,
        )
    else:
        revoked = token if how == "token revoked" else api.secret
        await AccessToken.filter(secret_hash=hash_secret(revoked)).update(revoked_at=clock.now())
    assert await browser.codes(WHO) == ["UNAUTHENTICATED"]


# ---------------------------------------------------------------- whose pages


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site", "origin": "https://evil.example"},
        {"sec_fetch_site": "same-site", "origin": "http://evil.metergraph"},  # a sibling
        {"sec_fetch_site": "same-site", "origin": "http://metergraph:8001"},  # another port
        {"sec_fetch_site": "none", "origin": ""},  # a person, who can send no such header
        {"sec_fetch_site": "", "origin": "https://evil.example"},  # an old browser
        {"sec_fetch_site": "", "origin": "http://evil.metergraph"},
        {"sec_fetch_site": "", "origin": "http://metergraph.evil.example"},
        {"sec_fetch_site": "", "origin": "http://metergraph:8001"},
        {"sec_fetch_site": "", "origin": "null"},
        {"sec_fetch_site": "", "origin": ""},
    ],
)
async def test_a_page_of_another_origin_has_no_use_of_a_cookie(
    browser: Browser, token: str, organization: Organization, headers: dict[str, str]
) -> None:
    await browser.sign_in(token)
    assert await browser.codes(WHO, **headers) == ["FORBIDDEN"]
    refused = await browser.session("DELETE", None, **headers)
    assert refused.status_code == 403
    assert "set-cookie" not in refused.headers
    body = json.dumps({"token": token}).encode()
    assert (await browser.session("POST", body, **headers)).status_code == 403
    assert await rows(organization) == 1
    # What such a page can send without being asked, it sends in vain.
    simple = await browser.post(WHO, **headers, x_metergraph_client="")
    assert simple.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec_fetch_site": ""},  # a browser that does not know it, or no TLS
        {"origin": ""},
        {"sec_fetch_site": "", "origin": "https://metergraph"},  # a proxy that does not tell of TLS
        {"sec_fetch_site": "", "origin": "https://usage.example", "host": "usage.example:443"},
        {"sec_fetch_site": "", "origin": "http://[::1]:8000", "host": "[::1]:8000"},
    ],
)
async def test_the_server_s_own_page_is_known(
    browser: Browser, token: str, headers: dict[str, str]
) -> None:
    browser.sent = {name.replace("_", "-"): value for name, value in headers.items()}
    assert (await browser.sign_in(token)).status_code == 200
    assert await browser.codes(WHO) == []
    assert (await browser.sign_out()).status_code == 204


async def test_a_cookie_counts_for_posted_json_only(browser: Browser, token: str) -> None:
    await browser.sign_in(token)
    got = await browser.http.get("/graphql", params={"query": WHO}, headers=browser.headers())
    assert (got.status_code, got.json()["errors"][0]["extensions"]["code"]) == (403, "FORBIDDEN")
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        assert (await browser.post(WHO, content_type=kind)).status_code == 415


async def test_an_origin_that_may_call_the_api_cannot_use_a_cookie(
    settings: Settings, database: object, token: str
) -> None:
    page = "https://app.example"
    opened_ = settings.model_copy(update={"cors_origins": (page,)})
    async with served(opened_) as url, httpx.AsyncClient(base_url=url, timeout=60) as client:
        browser = Browser(client, url)
        await browser.sign_in(token)
        foreign = {"origin": page, "sec_fetch_site": "cross-site"}
        assert await browser.codes(WHO, **foreign) == ["FORBIDDEN"]
        for path, method in (("/graphql", "POST"), ("/session", "POST"), ("/session", "DELETE")):
            asking = await client.options(
                path,
                headers={
                    "origin": page,
                    "access-control-request-method": method,
                    "access-control-request-headers": "content-type, x-metergraph-client",
                },
            )
            assert asking.status_code == 400
            assert "access-control-allow-credentials" not in asking.headers
        elsewhere = Browser(client, page, cookies=browser.cookies)
        async with elsewhere.socket() as socket:
            code, reason = await begin(socket, client="dashboard")
            assert code == 4403
            assert reason.startswith("Browser sessions work only on this server's own pages;")
        async with elsewhere.socket() as socket:  # as it may
            assert await begin(socket, authorization=f"Bearer {token}") == "connection_ack"


# ---------------------------------------------------------------- behind a proxy


@pytest.fixture
async def public(settings: Settings, database: object) -> AsyncIterator[httpx.AsyncClient]:
    """A server whose address for browsers is set."""
    named = settings.model_copy(update={"public_url": "https://usage.example"})
    async with served(named) as url, httpx.AsyncClient(base_url=url, timeout=60) as client:
        yield client


@pytest.mark.parametrize(
    "proxy",
    [
        {"host": "usage.example", "x-forwarded-proto": "https"},
        {"x-forwarded-host": "usage.example", "x-forwarded-proto": "https"},
        {"host": "usage.example"},  # one that does not tell of TLS
        {},  # one that tells nothing: METERGRAPH_PUBLIC_URL does
    ],
)
async def test_under_tls_only_a_cookie_that_no_other_host_can_set_counts(
    public: httpx.AsyncClient, token: str, proxy: dict[str, str]
) -> None:
    browser = Browser(public, "https://usage.example", sent=proxy)
    [header] = (await browser.sign_in(token)).headers.get_list("set-cookie")
    [(name, cookie)] = SimpleCookie(header).items()
    assert name == "__Host-metergraph-dashboard"
    assert (cookie["secure"], cookie["path"], cookie["domain"]) == (True, "/", "")
    assert await browser.codes(WHO) == []
    async with browser.socket() as socket:
        assert await begin(socket, client="dashboard") == "connection_ack"
    # A sibling's page can set a cookie of the other name for all hosts of the domain.
    tossed = Browser(public, browser.origin, sent=proxy)
    tossed.cookies = {"metergraph-dashboard": cookie.value}
    assert await tossed.codes(WHO) == ["UNAUTHENTICATED"]


async def test_a_page_without_tls_is_not_the_own_page_of_a_server_with_it(
    public: httpx.AsyncClient, token: str
) -> None:
    proxy = {"host": "usage.example", "x-forwarded-proto": "https", "sec-fetch-site": ""}
    browser = Browser(public, "http://usage.example", sent=proxy)
    assert (await browser.sign_in(token)).status_code == 403


# ---------------------------------------------------------------- sockets and streams


@pytest.fixture
async def page(settings: Settings, database: object) -> AsyncIterator[Browser]:
    """A browser at a server on a socket."""
    async with served(settings) as url, httpx.AsyncClient(base_url=url, timeout=60) as client:
        yield Browser(client, url)


async def test_a_signed_in_page_watches_over_a_socket(page: Browser, token: str, link: str) -> None:
    await page.sign_in(token)
    portal = Browser(page.http, page.origin, "portal", cookies=page.cookies)
    await portal.sign_in(link)
    for client in ("dashboard", "portal"):
        async with page.socket() as socket:
            assert await begin(socket, client=client) == "connection_ack"
            await subscribe(socket, "1", WHO)
            me = json.loads(await socket.recv())["payload"]["data"]["me"]
            assert (me["customer"] is None) is (client == "dashboard")


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ({}, "This needs a token"),
        ({"client": "portal"}, "This browser is not signed in"),
        ({"client": "admin"}, "The client must be dashboard or portal"),
        ({"client": None}, "The client must be"),
        ({"client": {"a": []}}, "The client must be"),
        ({"client": "dashboard", "authorization": "Bearer mg_no"}, "The token is unknown"),
        ({"client": "dashboard", "authorization": "mg_no"}, "The Authorization header must be"),
    ],
)
async def test_a_socket_says_which_client_it_is_and_a_token_wins(
    page: Browser, token: str, payload: dict[str, object], reason: str
) -> None:
    await page.sign_in(token)
    async with page.socket() as socket:
        code, said = await begin(socket, **payload)
    assert code == 4403
    assert said.startswith(reason)


async def test_a_socket_of_a_foreign_page_is_not_opened(page: Browser, token: str) -> None:
    await page.sign_in(token)
    for origin in ("https://evil.example", "null", page.origin + "1"):
        foreign = Browser(page.http, origin, cookies=page.cookies)
        with pytest.raises(websockets.InvalidStatus):
            await foreign.socket().__aenter__()
    # Nor is one used whose page is known by Sec-Fetch-Site alone, or not at all.
    port = page.origin.rpartition(":")[2]
    for origin in (f"https://127.0.0.1.evil.example:{port}", ""):
        foreign = Browser(page.http, origin, cookies=page.cookies)
        async with foreign.socket(**{"sec-fetch-site": "same-origin"}) as socket:
            assert (await begin(socket, client="dashboard"))[0] == 4403


@pytest.mark.parametrize("how", ["signed out", "signed in again", "revoked", "expired"])
async def test_an_open_socket_closes_when_the_session_ends(
    page: Browser, token: str, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(websocket, "SECONDS_BETWEEN_LOOKS_AT_TOKEN", 0.02)
    await page.sign_in(token)
    async with page.socket() as socket:
        assert await begin(socket, client="dashboard") == "connection_ack"
        await subscribe(socket, "1")
        await end(page, token, how)
        async with asyncio.timeout(60):
            with contextlib.suppress(websockets.ConnectionClosedError):
                async for _message in socket:
                    pass
    assert socket.close_code == 4403
    assert socket.close_reason == "The session has ended: sign in again"


async def end(page: Browser, token: str, how: str) -> None:
    tokens = AccessToken.filter(secret_hash=hash_secret(token))
    if how == "signed out":
        await page.sign_out()
    elif how == "signed in again":
        await page.sign_in(token)
    elif how == "revoked":
        await tokens.update(revoked_at=clock.now())
    else:
        row = await tokens.first()
        assert row is not None
        await BrowserSession.filter(token_id=row.id).update(expires_at=clock.now())


async def test_an_open_stream_ends_when_the_session_does(
    page: Browser, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "SECONDS_BETWEEN_LOOKS_AT_TOKEN", 0.02)
    await page.sign_in(token)
    streaming = page.http.stream(
        "POST",
        "/graphql",
        json={"query": USAGE},
        headers=page.headers(accept="text/event-stream"),
    )
    async with asyncio.timeout(60), streaming as answer:
        assert answer.status_code == 200
        ended = False
        async for _line in answer.aiter_lines():
            if not ended:
                await page.sign_out()
                ended = True
    assert ended


# ---------------------------------------------------------------- what is sent in bad faith


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


# ---------------------------------------------------------------- links to the portal


async def test_a_link_leads_to_where_the_request_was_sent(
    api: Api, link: str, public: httpx.AsyncClient
) -> None:
    made = await opened(api)
    assert made["portalUrl"] == f"http://metergraph/portal#token={made['token']}"
    headers = {"x-forwarded-host": "Usage.Example:8443", "x-forwarded-proto": "https"}
    forwarded = Api(api.http, {**api.headers, **headers, "host": "[::1"})
    assert (await opened(forwarded))["portalUrl"] is None  # no host that a browser could ask
    named = Api(public, {**api.headers, "host": "internal:8000"})
    assert (await opened(named))["portalUrl"].startswith("https://usage.example/portal#token=mg_")


async def test_a_link_behind_a_proxy_is_the_browser_s(
    settings: Settings, database: object, api: Api, link: str
) -> None:
    headers = {"x-forwarded-host": "Usage.Example:8443", "x-forwarded-proto": "https"}
    async with served(settings) as url, httpx.AsyncClient(base_url=url, timeout=60) as client:
        made = await opened(Api(client, {**api.headers, **headers}))
    assert made["portalUrl"] == f"https://usage.example:8443/portal#token={made['token']}"


async def test_a_link_lasts_as_many_minutes_as_are_asked_for(api: Api, link: str) -> None:
    for minutes in (1, 10_080):
        expires_at = datetime.fromisoformat((await opened(api, minutes=minutes))["expiresAt"])
        assert abs(expires_at - clock.now() - timedelta(minutes=minutes)) < timedelta(minutes=1)


@pytest.mark.parametrize("minutes", [0, -1, 10_081, 2**31 - 1, -(2**31)])
async def test_minutes_that_no_link_may_last_are_refused(api: Api, link: str, minutes: int) -> None:
    made = await opened(api, minutes=minutes)
    assert made["userErrors"] == [{"code": "INVALID", "path": ["minutes"]}]
    assert made["token"] is made["portalUrl"] is None
