"""Whether a failed request may safely be sent again.

An answer can be lost after COMMIT, so an error does not mean that a mutation was not carried out.
Each mutation notes here, before it begins, whether sending it again could do it twice. The code
that reports an outage to the client asks `may_repeat`, and nothing else says `retryable`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

LOOK_FIRST = (
    "the mutation may have taken effect: check before you send it again. To make retries safe, send"
    " an idempotencyKey, or an externalId with each event"
)
_begun: ContextVar[list[Callable[[], bool]] | None] = ContextVar("begun", default=None)


@contextmanager
def attempt() -> Iterator[None]:
    """Notes the mutations that begin inside: in one request, or one operation over a WebSocket."""
    token = _begun.set([])
    try:
        yield
    finally:
        _begun.reset(token)


def begin(is_repeatable: Callable[[], bool]) -> None:
    """Notes that a mutation begins. `is_repeatable` is asked only if something fails."""
    begun = _begun.get()
    if begun is not None:
        begun.append(is_repeatable)


def has_begun() -> bool:
    """Whether the request has begun a mutation."""
    return bool(_begun.get())


def may_repeat() -> bool:
    """Whether sending the request again can do nothing twice."""
    return all(is_repeatable() for is_repeatable in _begun.get() or ())
