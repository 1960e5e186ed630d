"""Logging: structlog for our own lines and the standard library's, one format, no secrets.

`get_logger = structlog.get_logger` anywhere; `configure_logging` once a process.
"""

import logging
import re
import sys
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from config.settings import LogFormat, LogLevel, Settings

# Secrets begin with mg_; a password stands in a URL between the user's colon and the at sign.
_SECRET = re.compile(r"mg_[A-Za-z0-9_-]{4,}")
_URL_PASSWORD = re.compile(r"(\w+://[^/\s:@]*:)[^/\s@]+@")


def redact(text: str) -> str:
    """`text` without the secrets and passwords that it names."""
    return _URL_PASSWORD.sub(r"\1***@", _SECRET.sub("mg_***", text))


def _redact_value(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: _redact_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redact_value(item) for item in value]
    return value


def _redact_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {key: _redact_value(value) for key, value in event.items()}


def _name_uvicorn(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Uvicorn calls the logger of all that is no request `uvicorn.error`, errors or not."""
    if event.get("logger") == "uvicorn.error":
        event["logger"] = "uvicorn"
    return event


class _RedactingFormatter(structlog.stdlib.ProcessorFormatter):
    """The last to see a line: a secret inside a traceback or an object's repr goes here."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def configure_logging(settings: Settings) -> None:
    """Send our lines and those of uvicorn, arq, Tortoise and asyncio to standard error.

    Args:
        settings: `log_level`, and `log_format` (None: console on a terminal, else JSON).
    """
    log_format = settings.log_format or (
        LogFormat.CONSOLE if sys.stderr.isatty() else LogFormat.JSON
    )
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        _name_uvicorn,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    rendered: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if log_format is LogFormat.JSON:
        rendered += [
            structlog.processors.format_exc_info,
            _redact_event,
            structlog.processors.JSONRenderer(),
        ]
    else:
        rendered += [
            _redact_event,
            # Rich would print the local variables too: customers' data, and secrets.
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_RedactingFormatter(foreign_pre_chain=shared, processors=rendered))

    level = settings.log_level.upper()
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "arq", "tortoise", "asyncio"):
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.propagate = True
        logger.setLevel(logging.NOTSET)
    # Of arq two lines a job, and a sweep every second: our own line says what a job did. Of httpx
    # a line a request, among what a command says to a person.
    for name in ("arq.worker", "httpx"):
        logging.getLogger(name).setLevel(
            logging.DEBUG if settings.log_level is LogLevel.DEBUG else logging.WARNING
        )
    # Of asyncpg a traceback for every try while PostgreSQL is away: whoever uses it says that once.
    logging.getLogger("asyncpg").setLevel(
        logging.DEBUG if settings.log_level is LogLevel.DEBUG else logging.ERROR
    )
    # Each statement with its values, and each WebSocket's frame, which may cut a secret in two:
    # events of customers and what they are asked with do not belong in a log.
    for name in ("tortoise.db_client", "uvicorn.error", "websockets"):
        logging.getLogger(name).setLevel(max(logging.INFO, root.level))

    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
