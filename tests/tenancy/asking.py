"""Questions of a tenant about a place of the schema, and answers that can be compared."""

import asyncio
import re
from typing import Any

from starlette.applications import Starlette

from models import exact_json
from resolvers.queries.nodes import NODE_TYPES
from tests.tenancy.places import REACHED, Place, arguments, field_of, operation
from tests.tenancy.world import Tenant
from tests.websocket_client import Socket

NODES = {"Query", "Mutation", *NODE_TYPES, *REACHED}


SECONDS_OF_SILENCE = 0.3


# Differ from one call to the next, whoever asks.
_CHANGING = re.compile(
    r'"(id|key|cursor|startCursor|endCursor|token|secret|eventId|customerId'
    r'|\w+At|\w+Through|current\w+|period\w+)":"[^"]*"'
)


def own_id(tenant: Tenant, place: Place) -> Any:
    """Names something of the tenant's own for what a field requires beside the place."""

    def name(path: tuple[str, ...]) -> str:
        word = path[-1].removesuffix("Ids").removesuffix("Id").removesuffix("s")
        types = {"benefit": "MeterCreditBenefit", "id": _type_meant(place)}
        return tenant.ids[types.get(word, word[:1].upper() + word[1:])]

    return name


def _type_meant(place: Place) -> str:
    """The type that the `id` of a field is about: `subscription` is a CustomerSubscription."""
    names = sorted(NODE_TYPES, key=len, reverse=True)
    lowered = re.sub("^subscription", "customersubscription", place.field.lower())
    return next((name for name in names if lowered.startswith(name.lower())), "Meter")


def shown(answer: dict[str, Any], named: str) -> str:
    """An answer with what was named, and what every answer has anew, taken out."""
    text = exact_json.dumps({"data": answer.get("data"), "errors": answer.get("errors")})
    return _CHANGING.sub(r'"\1":"…"', text.replace(named, "NAMED"))


def request(tenant: Tenant, place: Place, value: Any, depth: int) -> tuple[str, dict[str, Any]]:
    """A document that names a value at a place, or what is required there, and its variables."""
    named = place if place.path else None
    given = arguments(field_of(place), named, value, own_id(tenant, place))
    variables = {f"v_{name}": item for name, item in given.items()}
    if place.parent in NODE_TYPES:
        variables["node"] = tenant.ids[place.parent]
    return operation(place, given, depth), variables


async def ask(tenant: Tenant, place: Place, value: str) -> dict[str, Any]:
    document, variables = request(tenant, place, value, 2)
    answer = await tenant.api.ask(document, **variables)
    # Whatever is wrong, it is not the request that this test has made.
    assert all("path" in error for error in answer.get("errors", [])), answer
    return answer


async def first_message(application: Starlette, socket: Socket, number: str) -> str:
    """What the only operation sends first, which is then ended.

    `silence` where it follows changes, and none comes.
    """
    feeds = application.state.graphql.services.feeds
    found = None
    async with asyncio.timeout(60):
        while found is None:
            try:
                async with asyncio.timeout(SECONDS_OF_SILENCE):
                    text: str = (await socket.outgoing.get())["text"]
                if exact_json.loads(text)["id"] == number:
                    found = text
            except TimeoutError:
                found = "silence" if feeds.followers else None
        await socket.send({"type": "complete", "id": number})
        while feeds.followers:  # noqa: ASYNC110  # nobody is told
            await asyncio.sleep(0.001)
    return found
