"""The file that lists the only queries to run: its formats, and the error for each mistake."""

import json
from pathlib import Path

import pytest
from arq.connections import ArqRedis
from structlog.testing import capture_logs
from tortoise.backends.base.client import BaseDBAsyncClient

from config.settings import Settings
from metergraph.asgi.app import create_app
from metergraph.sentences import sentence
from transport.application import opened_api
from transport.persisted_queries import ListError, digest, listed_documents

QUERY = "query Mine { organization { name } }"
OTHER = "{ __typename }"


async def test_invalid_listed_queries_are_logged_at_the_start(
    settings: Settings, database: BaseDBAsyncClient, redis: ArqRedis, tmp_path: Path
) -> None:
    path = tmp_path / "queries.json"
    path.write_text(json.dumps({"0": QUERY, "1": "{ gone }", "2": "}{"}))
    with capture_logs() as logs:
        async with opened_api(settings.model_copy(update={"persisted_queries": path}), redis):
            pass
    said = {log["sha256"]: log["reason"] for log in logs if "listed" in log["event"]}
    assert said.keys() == {digest("{ gone }"), digest("}{")}
    assert "gone" in said[digest("{ gone }")]


def test_a_list_is_an_apollo_manifest_or_an_object_of_documents(tmp_path: Path) -> None:
    path = tmp_path / "queries.json"
    path.write_text(json.dumps({"0": QUERY, "1": OTHER}))
    assert listed_documents(path) == {QUERY, OTHER}
    for wrong in ("[]", "{}", '{"a": 1}', '{"operations": [{"id": "1"}]}', "nonsense"):
        path.write_text(wrong)
        with pytest.raises(ListError, match=r"queries\.json is (neither|not JSON)"):
            listed_documents(path)


def test_an_unusable_list_is_reported_in_a_sentence(settings: Settings, tmp_path: Path) -> None:
    wrong = settings.model_copy(update={"persisted_queries": tmp_path / "none.json"})
    with pytest.raises(ListError) as raised:
        create_app(wrong)
    assert sentence(raised.value) == (
        f"METERGRAPH_PERSISTED_QUERIES cannot be used: {tmp_path}/none.json cannot be read"
        " (No such file or directory)."
    )
