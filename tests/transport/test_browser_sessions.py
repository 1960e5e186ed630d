"""Browsers that sign in: what their cookies are good for, and when they end."""

from datetime import datetime, timedelta
from http.cookies import SimpleCookie

import httpx
import pytest

from config import clock
from config.settings import Settings
from models import AccessToken, BrowserSession, Customer, CustomerSession, Organization
from schema.context import Scope
from schema.secrets import BROWSER_PREFIX, hash_secret
from tests.browser import OWN, WHO, Browser, rows
from tests.graphql_client import Api
from tests.serving import new_token, served
from transport import browser_sessions


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


async def test_a_portal_link_outlives_the_browser_s_session_but_not_its_token(
    browser: Browser, organization: Organization
) -> None:
    made = """mutation {
      customerSessionCreate(input: { externalCustomerId: "acme", minutes: 10080 }) { expiresAt }
    }"""
    await Customer.create(organization_id=organization.id, external_id="acme")
    week, day = timedelta(days=7), timedelta(days=1)
    for token_lasts, lasts in ((None, week), (day, day), (2 * week, week)):
        token = await new_token(organization, Scope.ADMIN)
        ends = token_lasts and clock.now() + token_lasts
        await AccessToken.filter(secret_hash=hash_secret(token)).update(expires_at=ends)
        await browser.sign_in(token)
        answer = (await browser.post(made)).json()["data"]["customerSessionCreate"]
        left = datetime.fromisoformat(answer["expiresAt"]) - clock.now()
        assert abs(left - lasts) < timedelta(minutes=1)


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
