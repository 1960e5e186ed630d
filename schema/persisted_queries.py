"""Persisted queries: documents that clients send by their SHA-256, and lists of the only ones.

Automatic ones are Apollo's: a client sends the hash, is told PersistedQueryNotFound, and sends hash
and document once for all. They are kept in Redis, for every process; without Redis nothing is
found, and clients send documents in full.
https://www.apollographql.com/docs/apollo-server/performance/apq

With a list (a file, by setting) nothing else is run, whether sent by hash or in full.
"""

import asyncio
import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import structlog
from arq.connections import ArqRedis
from redis.exceptions import RedisError

from schema.documents import MAX_LENGTH
from schema.errors import BadUserInput, PersistedQueryNotFound

_log = structlog.get_logger(__name__)

_SECONDS_KEPT = 7 * 24 * 3600
_SECONDS_TO_ANSWER = 0.5
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)


class PersistedQueries:
    """The persisted queries of one process: those of `listed`, or those that clients register."""

    def __init__(self, redis: ArqRedis, listed: frozenset[str] | None = None) -> None:
        self._redis = redis
        self._listed = None if listed is None else {digest(text): text for text in listed}

    async def document(
        self, query: str | None, extensions: Mapping[str, Any] | None, *, keep: bool
    ) -> str:
        """The document of a request, sent in full or by its hash.

        With `keep`, a document that comes with its hash is remembered. Raises BadUserInput and
        PersistedQueryNotFound.
        """
        sent = _hash_of(extensions)
        if query:
            if sent is not None and sent != digest(query):
                raise BadUserInput("The sha256Hash is not that of the query")
            if sent is not None and keep and self._listed is None and len(query) <= MAX_LENGTH:
                await self._store(sent, query)
            return query
        if sent is None:
            raise BadUserInput("`query` must be a string with a GraphQL document")
        known = await self._fetch(sent) if self._listed is None else self._listed.get(sent)
        if known is None:
            raise PersistedQueryNotFound("PersistedQueryNotFound")
        return known

    async def _fetch(self, sent: str) -> str | None:
        try:
            async with asyncio.timeout(_SECONDS_TO_ANSWER):
                found: bytes | None = await self._redis.get(_key(sent))
        except (RedisError, OSError) as error:
            _log.warning("no persisted queries without Redis", reason=str(error))
            return None
        return None if found is None else found.decode()

    async def _store(self, sent: str, query: str) -> None:
        try:
            async with asyncio.timeout(_SECONDS_TO_ANSWER):
                await self._redis.set(_key(sent), query.encode(), ex=_SECONDS_KEPT)
        except (RedisError, OSError) as error:
            _log.warning("no persisted queries without Redis", reason=str(error))


def listed_documents(path: Path) -> frozenset[str]:
    """The documents of a file: Apollo's manifest, or Relay's object of documents by hash.

    Raises OSError, and ValueError where the file is neither.
    """
    content = json.loads(path.read_text(encoding="utf-8"))
    texts: list[Any] = []
    if isinstance(content, dict) and isinstance(content.get("operations"), list):
        texts = [item.get("body") for item in content["operations"] if isinstance(item, dict)]
    elif isinstance(content, dict):
        texts = list(content.values())
    if not texts or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"{path} is no list of persisted queries")
    return frozenset(texts)


def digest(query: str) -> str:
    """The hash by which a document is known."""
    return hashlib.sha256(query.encode("utf-8", "replace")).hexdigest()


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


def _key(sent: str) -> str:
    return f"metergraph:query:{sent}"
