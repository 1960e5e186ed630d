"""All log lines have one format, and none has a secret."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import structlog

from config.settings import LogFormat, LogLevel, Settings
from metergraph.logging import configure_logging, redact

SECRET = "mg_8Zk3J1vQ0bXy7LrT5nWc2HdFsAqEoGiU4pMxK9jYwVt"


@contextmanager
def configured(log_format: LogFormat) -> Iterator[None]:
    """Logging as a process configures it; to be entered by the test, whose output it captures."""
    root = logging.getLogger()
    level = root.level
    configure_logging(Settings(log_format=log_format, log_level=LogLevel.INFO))
    ours = root.handlers[0]
    try:
        yield
    finally:
        # pytest changes its own handlers meanwhile.
        root.removeHandler(ours)
        root.setLevel(level)
        structlog.reset_defaults()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"Bearer {SECRET}", "Bearer mg_***"),
        (f'{{"token": "{SECRET}"}}', '{"token": "mg_***"}'),
        ("postgresql://u:p4ss@host/db", "postgresql://u:***@host/db"),
        ("redis://:p4ss@host:6379/0", "redis://:***@host:6379/0"),
        ("postgresql://u@host/db", "postgresql://u@host/db"),
        ("mg_ is how secrets begin", "mg_ is how secrets begin"),
    ],
)
def test_secrets_and_passwords_are_taken_out(text: str, shown: str) -> None:
    assert redact(text) == shown


@pytest.mark.parametrize("log_format", list(LogFormat))
def test_no_line_carries_a_secret(
    log_format: LogFormat, capsys: pytest.CaptureFixture[str]
) -> None:
    with configured(log_format):
        log = structlog.get_logger("tests")
        log.info("a", token=SECRET, nested={"list": [SECRET]}, value=repr([SECRET]))
        log.info("b", url='postgresql://u:p4\u00e9s"s@host/db')
        logging.getLogger("uvicorn.error").info("GET /graphql?token=%s", SECRET)
        local = "of nobody's concern"
        try:
            int(SECRET)
        except ValueError:
            log.exception("failed")
    written = capsys.readouterr().err
    assert written.count("mg_***") >= 5
    assert SECRET not in written
    assert "p4" not in written
    assert "Traceback" in written
    assert local not in written


@pytest.mark.parametrize("log_format", list(LogFormat))
def test_debug_lines_are_left_out_and_json_is_json(
    log_format: LogFormat, capsys: pytest.CaptureFixture[str]
) -> None:
    with configured(log_format):
        structlog.get_logger("tests").debug("not shown")
        logging.getLogger("arq.worker").info("a job began")
        logging.getLogger("asyncpg.pool").warning("Failed to restore", stack_info=True)
        structlog.get_logger("tests").info("shown", events=3)
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    if log_format is LogFormat.JSON:
        line = json.loads(lines[0])
        assert (line["event"], line["events"], line["level"]) == ("shown", 3, "info")


def test_what_is_no_error_is_not_called_one(capsys: pytest.CaptureFixture[str]) -> None:
    with configured(LogFormat.JSON):
        logging.getLogger("uvicorn.error").info("Started server process")
    assert json.loads(capsys.readouterr().err)["logger"] == "uvicorn"
