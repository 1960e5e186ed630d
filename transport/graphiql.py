"""GraphiQL, GraphQL's page for people: served to browsers at the API's own address.

The page and all that it needs is in `schema/static`, built from `graphiql/`: it works without a
network. The token is entered in its headers editor, or comes as `#token=mg_…` in the address.
"""

from functools import cache
from pathlib import Path

from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

STATIC = Path(__file__).parent / "static"

_HEADERS = {
    # Scripts of nobody else's; the editor writes its own styles.
    "content-security-policy": "default-src 'none'; script-src 'self'; connect-src 'self';"
    " style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}


@cache
def _page() -> str:
    return (STATIC / "graphiql.html").read_text(encoding="utf-8")


def graphiql_response() -> HTMLResponse:
    """The page."""
    return HTMLResponse(_page(), headers=_HEADERS)


def graphiql_files() -> StaticFiles:
    """What the page loads."""
    return StaticFiles(directory=STATIC)
