"""Serves pages to browsers at addresses that programs use too."""

from starlette.datastructures import Headers, QueryParams
from starlette.types import ASGIApp, Receive, Scope, Send


class ForBrowsers:
    """Answers a browser's visit with a page, and passes any other request on.

    Args:
        page: the page; None: there is none.
        otherwise: answers all other requests.
        but_with: a query parameter that marks a visit as a program's request.
    """

    def __init__(self, page: ASGIApp | None, otherwise: ASGIApp, *, but_with: str = "") -> None:
        self._page = page
        self._otherwise = otherwise
        self._but_with = but_with

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if self._page is not None and self._is_visit(scope):
            await self._page(scope, receive, send)
        else:
            await self._otherwise(scope, receive, send)

    def _is_visit(self, scope: Scope) -> bool:
        return (
            scope["type"] == "http"
            and scope["method"] in {"GET", "HEAD"}
            and "text/html" in Headers(scope=scope).get("accept", "")
            and self._but_with not in QueryParams(scope["query_string"])
        )
