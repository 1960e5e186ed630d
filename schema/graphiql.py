"""GraphiQL, GraphQL's page for people: served to browsers at the API's own address."""

from functools import cache
from pathlib import Path

_PAGE = Path(__file__).parent / "static" / "graphiql.html"


@cache
def graphiql_page() -> str:
    """The page."""
    return _PAGE.read_text(encoding="utf-8")
