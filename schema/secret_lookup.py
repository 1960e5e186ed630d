"""Finding the token or the session behind a secret, for all requests of a process.

Every request asks for one, so those that arrive while the database is being asked share the next
statement. None is answered from before it arrived: a token that was revoked is refused at once.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextvars import Context

from models.outages import cut_off_is_outage
from resolvers.loaders.rows import Record, fetch

_FIND = """
SELECT secret_hash, id, organization_id, scopes, last_used_at,
       NULL::uuid AS customer_id, NULL::timestamptz AS expires_at
  FROM access_token
 WHERE secret_hash = ANY($1::bytea[]) AND revoked_at IS NULL
 UNION ALL
SELECT secret_hash, id, organization_id, NULL, NULL, customer_id, expires_at
  FROM customer_session
 WHERE secret_hash = ANY($1::bytea[])
"""


class SecretLookup:
    """One a process."""

    def __init__(self) -> None:
        self._waiting: dict[bytes, asyncio.Future[Record | None]] = {}
        self._running: asyncio.Task[None] | None = None

    async def find(self, secret_hash: bytes) -> Record | None:
        """The row of the token, or of the session, expired or not; None where it is nobody's.

        Raises what the database raises.
        """
        answer = self._waiting.get(secret_hash)
        if answer is None:
            answer = asyncio.get_running_loop().create_future()
            self._waiting[secret_hash] = answer
        if self._running is None:
            self._running = asyncio.create_task(self._run(), context=Context())
        # Others may wait for the same answer: one that leaves does not take it away.
        return await asyncio.shield(answer)

    async def _run(self) -> None:
        asked: Mapping[bytes, asyncio.Future[Record | None]] = {}
        try:
            while self._waiting:
                asked, self._waiting = self._waiting, {}
                await _answer(asked)
        finally:
            self._running = None
            # There is somebody only where this task was cancelled.
            for answer in (*asked.values(), *self._waiting.values()):
                answer.cancel()
            self._waiting = {}


async def _answer(asked: Mapping[bytes, "asyncio.Future[Record | None]"]) -> None:
    try:
        with cut_off_is_outage():
            rows: Sequence[Record] = await fetch(_FIND, list(asked))
    except Exception as error:  # noqa: BLE001  # the callers get it, whatever it is
        for answer in asked.values():
            answer.set_exception(error)
            answer.exception()  # seen, also where everybody who asked has left
    else:
        found = {row["secret_hash"]: row for row in rows}
        for secret_hash, answer in asked.items():
            answer.set_result(found.get(secret_hash))
