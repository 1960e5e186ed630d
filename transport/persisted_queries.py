"""Persisted queries: documents that clients name by their SHA-256, and lists of allowed ones.

Automatic ones follow Apollo: a client sends the hash, gets PersistedQueryNotFound, and sends hash
and document once. Redis keeps them for all processes; without Redis none is found, and clients send
documents in full. Each organization has its own, up to a limit, and registers them by its tokens.
Sessions, which are in the hands of customers, may only use them.
https://www.apollographql.com/docs/apollo-server/performance/apq

With a list (a file named by a setting), no other document runs, neither by hash nor in full.
"""

import hashlib
import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from arq.connections import ArqRedis

from metering.live.redis_connections import REDIS_FAILURES, deadline
from schema.context import Identity, TokenIdentity
from schema.errors import BadUserInput, PersistedQueryNotFound, PersistedQueryNotSupported
from transport.rate_limits import SECONDS_FOR_REDIS

MOST_OF_AN_ORGANIZATION = 1_000
_SECONDS_KEPT = 7 * 24 * 3600
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)


class PersistedQueries:
    """The persisted queries of one process: `listed` ones, or those that clients register."""

    def __init__(self, redis: ArqRedis, listed: frozenset[str] | None = None) -> None:
        self._redis = redis
        self._listed = None if listed is None else {digest(text): text for text in listed}

    async def document(
        self, query: str | None, extensions: Mapping[str, Any] | None, caller: Identity | None
    ) -> str:
        """Returns the document of a request, sent in full or by its hash.

        Raises BadUserInput, PersistedQueryNotFound or PersistedQueryNotSupported.
        """
        sent = _hash_of(extensions)
        if query:
            if sent is not None and sent != digest(query):
                raise BadUserInput("The sha256Hash does not match the query")
            return query
        if sent is None:
            raise BadUserInput("`query` must be a string with a GraphQL document")
        known = await self._find(sent, caller)
        if known is not None:
            return known
        if self._listed is not None or isinstance(caller, TokenIdentity):
            raise PersistedQueryNotFound("PersistedQueryNotFound")
        raise PersistedQueryNotSupported("PersistedQueryNotSupported")

    async def register(
        self, query: str, extensions: Mapping[str, Any] | None, caller: Identity | None
    ) -> None:
        """Remembers a valid document that came with its hash, if the caller may register it."""
        sent = _hash_of(extensions)
        if sent is None or self._listed is not None or not isinstance(caller, TokenIdentity):
            return
        organization_id = caller.organization_id
        index = f"metergraph:queries:{organization_id}"
        try:
            async with (
                deadline(self._redis, SECONDS_FOR_REDIS),
                self._redis.pipeline(transaction=True) as pipe,
            ):
                pipe.set(_key(organization_id, sent), query.encode(), ex=_SECONDS_KEPT)
                pipe.zadd(index, {sent: time.time()})
                pipe.expire(index, _SECONDS_KEPT)
                pipe.zcard(index)
                *_, count = await pipe.execute()
                if count > MOST_OF_AN_ORGANIZATION:
                    oldest = await self._redis.zpopmin(index, count - MOST_OF_AN_ORGANIZATION)
                    keys = [_key(organization_id, name.decode()) for name, _ in oldest]
                    await self._redis.delete(*keys)
        except REDIS_FAILURES:
            return  # the connection's circuit has logged it

    async def _find(self, sent: str, caller: Identity | None) -> str | None:
        if self._listed is not None:
            return self._listed.get(sent)
        if caller is None:
            return None
        try:
            async with deadline(self._redis, SECONDS_FOR_REDIS):
                found: bytes | None = await self._redis.get(_key(caller.organization_id, sent))
        except REDIS_FAILURES:
            return None
        # Other writers to Redis must not choose what a token runs.
        if found is None or hashlib.sha256(found).hexdigest() != sent:
            return None
        return found.decode()


class ListError(ValueError):
    """METERGRAPH_PERSISTED_QUERIES does not name a list."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"METERGRAPH_PERSISTED_QUERIES cannot be used: {path} {reason}.")


def listed_documents(path: Path) -> frozenset[str]:
    """Reads the documents of a file: Apollo's manifest, or Relay's object of documents by hash.

    Raises ListError.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ListError(path, f"cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise ListError(path, f"is not JSON ({error})") from None
    texts: list[Any] = []
    if isinstance(content, dict) and isinstance(content.get("operations"), list):
        texts = [item.get("body") for item in content["operations"] if isinstance(item, dict)]
    elif isinstance(content, dict):
        texts = list(content.values())
    if not texts or not all(isinstance(text, str) for text in texts):
        raise ListError(path, "is neither Apollo's manifest nor an object of documents by hash")
    return frozenset(texts)


def digest(query: str) -> str:
    """The hash that names a document."""
    return hashlib.sha256(query.encode("utf-8", "surrogatepass")).hexdigest()


def names_document(extensions: Any) -> bool:
    """Whether a request names its document by a hash."""
    return isinstance(extensions, dict) and extensions.get("persistedQuery") is not None


def _hash_of(extensions: Mapping[str, Any] | None) -> str | None:
    if not extensions or not names_document(extensions):
        return None
    named = extensions["persistedQuery"]
    sent = named.get("sha256Hash") if isinstance(named, dict) else None
    if not isinstance(sent, str) or not _HASH.fullmatch(sent) or named.get("version") != 1:
        raise BadUserInput("`persistedQuery` must have version 1 and a sha256Hash")
    return sent


def _key(organization_id: UUID, sent: str) -> str:
    return f"metergraph:query:{organization_id}:{sent}"
