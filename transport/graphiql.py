"""GraphiQL, the page for people, which browsers get at the API's own address.

`transport/static` has the page and all its files, built from `graphiql/`, so it works without a
network. The token is entered in the headers editor, or comes as `#token=mg_…` in the address.
"""

from functools import cache
from pathlib import Path

from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

STATIC = Path(__file__).parent / "static"

_HEADERS = {
    # Only our own scripts; the editor writes inline styles.
    "content-security-policy": "default-src 'none'; script-src 'self'; connect-src 'self';"
    " style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}


@cache
def _page() -> str:
    return (STATIC / "graphiql.html").read_text(encoding="utf-8")


def graphiql_response() -> HTMLResponse:
    """Returns the page."""
    return HTMLResponse(_page(), headers=_HEADERS)


def graphiql_files() -> StaticFiles:
    """Serves the files of the page."""
    return StaticFiles(directory=STATIC)
