"""The pages for people: who gets which, what it may load, and for how long browsers keep it."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from config.settings import Settings
from metergraph.asgi.app import create_app
from metergraph.asgi.pages import PAGES, Pages, assets_version
from transport.visits import ForBrowsers

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
SCRIPT = b"console.log(1);\n" * 1_000
AWAY = {"database_url": "postgresql://127.0.0.1:1/none", "redis_url": "redis://127.0.0.1:1"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pages, built."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "dashboard.js").write_bytes(SCRIPT)
    (tmp_path / "secret.txt").write_text("secret")
    for name in ("dashboard", "portal", "graphiql"):
        (tmp_path / f"{name}.html").write_text(f"<title>{name}</title>")
    return tmp_path


def client(folder: Path, **settings: Any) -> httpx.AsyncClient:
    app = create_app(Settings(**{**AWAY, **settings}), folder)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://metergraph")


def policy(answer: httpx.Response) -> dict[str, str]:
    [header] = answer.headers.get_list("content-security-policy")
    return dict(directive.split(" ", 1) for directive in header.split("; "))


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/", "dashboard"),
        ("/customers/acme?query=x", "dashboard"),
        ("/portal", "portal"),
        ("/graphql", "graphiql"),
    ],
)
async def test_a_browser_gets_the_page_of_an_address(folder: Path, path: str, page: str) -> None:
    async with client(folder) as browser:
        answer = await browser.get(path, headers=BROWSER)
        assert (answer.status_code, answer.text) == (200, f"<title>{page}</title>")
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["cache-control"] == "no-cache"
        assert (await browser.head(path, headers=BROWSER)).status_code == 200


async def test_others_get_what_they_always_got(folder: Path) -> None:
    async with client(folder) as browser:
        assert (await browser.get("/")).json()["name"] == "Metergraph"
        assert (await browser.get("/customers/acme")).status_code == 404
        assert (await browser.post("/customers/acme", headers=BROWSER)).status_code == 404
        assert (await browser.get("/healthz", headers=BROWSER)).json() == {"status": "ok"}


async def test_without_pages_a_browser_is_led_to_graphiql_or_told_what_there_is(
    folder: Path,
) -> None:
    for name in ("dashboard", "portal"):
        (folder / f"{name}.html").unlink()
    async with client(folder) as browser:
        assert (await browser.get("/", headers=BROWSER)).headers["location"] == "graphql"
        for path in ("/portal", "/customers/acme"):
            assert (await browser.get(path, headers=BROWSER)).status_code == 404
    async with client(folder, graphiql=False) as browser:
        assert (await browser.get("/", headers=BROWSER)).json()["name"] == "Metergraph"


async def test_a_query_in_the_address_is_the_api_s(folder: Path) -> None:
    reached = []

    async def api(scope: Any, _receive: Any, _send: Any) -> None:
        reached.append(scope["query_string"])

    async def page(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    scope = {"type": "http", "method": "GET", "headers": [(b"accept", b"text/html")]}
    both = ForBrowsers(page, api, but_with="query")
    nothing: Any = None

    async def send(_message: Any) -> None:
        """Takes the page."""

    for query in (b"", b"a=query", b"query={me}"):
        await both({**scope, "query_string": query}, nothing, send)
    assert reached == [b"query={me}"]


async def test_what_a_page_loads_is_kept_for_ever_under_the_hash_of_its_content(
    folder: Path,
) -> None:
    version = assets_version(folder / "assets")
    async with client(folder) as browser:
        path = f"/assets/{version}/dashboard.js"
        answer = await browser.get(path, headers={"accept-encoding": "identity"})
        assert answer.content == SCRIPT
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-type"].startswith("text/javascript")
        assert answer.headers["x-content-type-options"] == "nosniff"
        short = await browser.get(path, headers={"accept-encoding": "gzip"})
        assert short.headers["content-encoding"] == "gzip"
        assert short.content == SCRIPT
        assert int(short.headers.get("content-length", "500")) < len(SCRIPT)
        known = {"if-none-match": answer.headers["etag"]}
        assert (await browser.get(path, headers=known)).status_code == 304
        assert (await browser.post(path)).status_code == 405
        for other in (
            f"/assets/{version}/missing.js",
            f"/assets/{'0' * 16}/dashboard.js",
            f"/assets/{version}/%2e%2e/secret.txt",
            f"/assets/{version}/..%2fsecret.txt",
            f"/assets/{version}/a%00b",
            f"/assets/{version}/",
        ):
            missing = await browser.get(other)
            assert missing.status_code == 404, other
            assert "immutable" not in missing.headers.get("cache-control", "")


def test_another_content_or_name_has_another_hash(folder: Path) -> None:
    before = assets_version(folder / "assets")
    file = folder / "assets" / "dashboard.js"
    file.write_bytes(SCRIPT + b" ")
    changed = assets_version(folder / "assets")
    file.rename(file.with_name("other.js"))
    assert len({before, changed, assets_version(folder / "assets")}) == 3


@pytest.mark.parametrize("path", ["/", "/portal"])
async def test_a_page_runs_and_reaches_nothing_but_this_server(folder: Path, path: str) -> None:
    async with client(folder) as browser:
        answer = await browser.get(path, headers=BROWSER)
    directives = policy(answer)
    assert "unsafe" not in " ".join(directives.values())
    assert directives["default-src"] == "'none'"
    for directive in ("script-src", "style-src", "connect-src", "font-src", "base-uri"):
        assert directives[directive] == "'self'", directive
    assert directives["frame-ancestors"] == directives["form-action"] == "'none'"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert "camera=()" in answer.headers["permissions-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_the_portal_alone_may_be_in_the_frames_of_who_is_named(folder: Path) -> None:
    named = ("https://app.example", "https://*.example.org")
    async with client(folder, portal_frame_ancestors=named) as browser:
        portal = await browser.get("/portal", headers=BROWSER)
        dashboard = await browser.get("/", headers=BROWSER)
    assert policy(portal)["frame-ancestors"] == "https://app.example https://*.example.org"
    assert "x-frame-options" not in portal.headers
    assert policy(dashboard)["frame-ancestors"] == "'none'"
    assert dashboard.headers["x-frame-options"] == "DENY"


def test_every_page_may_not_embed_the_portal(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "METERGRAPH_PORTAL_FRAME_ANCESTORS"
    monkeypatch.setenv(name, "https://App.example/, https://b.example")
    assert Settings().portal_frame_ancestors == ("https://app.example", "https://b.example")
    for wrong in ("*", "app.example", "https://a.example; script-src *", "'self'"):
        monkeypatch.setenv(name, wrong)
        with pytest.raises(ValueError, match="is not an origin"):
            Settings()


def test_the_pages_of_this_version_ask_for_files_that_are_there() -> None:
    version = Pages(PAGES).version
    pages = list(PAGES.glob("*.html"))
    assert pages
    for page in pages:
        asked = re.findall(r'(?:src|href)="(assets/[^"]*)"', page.read_text())
        assert asked
        for address in asked:
            folder, of_version, file = address.split("/")
            assert (folder, of_version) == ("assets", version), "build the pages again"
            assert (PAGES / "assets" / file).is_file()
