"""The pages for people: the dashboard, the customer portal and GraphiQL.

`metergraph/pages` has the built pages (`dashboard.html`, `portal.html` and `graphiql.html`), and in
`assets/` the files that they load. They work without a network. A page that was not built is not
served.
"""

import hashlib
from pathlib import Path

from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

PAGES = Path(__file__).parents[1] / "pages"

_IMMUTABLE = "public, max-age=31536000, immutable"
_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data: https:",  # an organization's logo may be on any host
    "font-src": "'self'",
    "connect-src": "'self'",
    "base-uri": "'self'",
    "form-action": "'none'",  # no form may send a token by itself, into an address and a log
    "frame-ancestors": "'none'",
}
# GraphiQL's dialogs stop the page behind them from scrolling with one constant style element.
_GRAPHIQL = {
    "style-src": "'self' 'sha256-nzTgYzXYDNe6BAHiiI7NNlfK8n/auuOAhh2t92YvuXo='",
    "font-src": "'self' data:",
}
_OURS = {"require-trusted-types-for": "'script'"}
_HEADERS = {
    "cache-control": "no-cache",
    "vary": "accept",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), display-capture=(), geolocation=(), microphone=(), "
    "payment=(), usb=()",
}


class Pages:
    """The pages of a folder.

    Args:
        folder: the folder.
        portal_ancestors: origins whose pages may embed the portal in a frame.
    """

    def __init__(self, folder: Path, portal_ancestors: tuple[str, ...] = ()) -> None:
        self._assets = folder / "assets"
        self.version = assets_version(self._assets)
        framed = {"frame-ancestors": " ".join(portal_ancestors)} if portal_ancestors else {}
        self.dashboard = _page(folder / "dashboard.html", _OURS)
        self.portal = _page(folder / "portal.html", _OURS | framed)
        self.graphiql = _page(folder / "graphiql.html", _GRAPHIQL)

    def files(self) -> Mount:
        """The files of the pages, below their hash, so browsers may cache them for ever."""
        served = GZipMiddleware(_Files(directory=self._assets, check_dir=False), compresslevel=6)
        return Mount(f"/assets/{self.version}", served)


class _Files(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        """Returns the file, or 404; browsers may cache only the file."""
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = _IMMUTABLE
        return response


def assets_version(folder: Path) -> str:
    """Returns a hash of the names and contents of the files in a folder.

    The SHA-256 of a line for each file in the order of the names, as `sha256sum` prints it; its
    first 16 digits. The build of the pages writes it into their addresses.
    """
    lines = [
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n"
        for file in sorted(folder.glob("*"))
    ]
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:16]


class _Page:
    """Answers with a page."""

    def __init__(self, html: bytes, policy: dict[str, str]) -> None:
        directives = {**_POLICY, **policy}.items()
        self._html = html
        self._policy = "; ".join(f"{directive} {sources}" for directive, sources in directives)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        headers = {**_HEADERS, "content-security-policy": self._policy}
        await HTMLResponse(self._html, headers=headers)(scope, receive, send)


def _page(file: Path, policy: dict[str, str]) -> ASGIApp | None:
    """Returns the page in a file; None if it was not built."""
    return _Page(file.read_bytes(), policy) if file.exists() else None
