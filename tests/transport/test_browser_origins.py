"""Whose pages a cookie counts for, behind proxies too, and where links to the portal lead."""

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from http.cookies import SimpleCookie

import httpx
import pytest

from config import clock
from config.settings import Settings
from models import Organization
from tests.browser import WHO, Browser, begin, opened, rows
from tests.graphql_client import Api
from tests.serving import served


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
