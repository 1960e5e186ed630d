"""What stands at the address itself: where everything else is."""

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from config.settings import Settings


async def front(request: Request) -> Response:
    """Leads browsers to GraphiQL, where it is on, and tells everybody else what there is."""
    settings: Settings = request.app.state.settings
    if settings.graphiql and "text/html" in request.headers.get("accept", ""):
        # Relative, because a proxy may have put us below a path.
        return RedirectResponse("graphql")
    return JSONResponse(
        {
            "name": "Metergraph",
            "graphql": "graphql",
            "health": ["healthz", "readyz"],
            "metrics": "metrics",
        }
    )
