"""Logging: structlog formats our own lines and those of the standard library, without secrets.

Call `configure_logging` once in each process, and `structlog.get_logger` anywhere.
"""

import logging
import re
import sys

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from config.settings import LogFormat, LogLevel, Settings

# Secrets begin with mg_. In a URL, a password follows the user and a colon.
_SECRET = re.compile(r"mg_[A-Za-z0-9_-]{4,}")
_URL_PASSWORD = re.compile(r"(\w+://[^/\s:@]*:)[^/\s@]+@")


def redact(text: str) -> str:
    """Returns the text without secrets and passwords."""
    return _URL_PASSWORD.sub(r"\1***@", _SECRET.sub("mg_***", text))


def _name_uvicorn(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Renames uvicorn's general logger, which is called `uvicorn.error` for all its lines."""
    if event.get("logger") == "uvicorn.error":
        event["logger"] = "uvicorn"
    return event


class _RedactingFormatter(structlog.stdlib.ProcessorFormatter):
    """Redacts the finished line, with the tracebacks and reprs in it."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def configure_logging(settings: Settings) -> None:
    """Sends our lines and those of uvicorn, arq, Tortoise and asyncio to standard error.

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
        rendered += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        # Rich would also print local variables: customers' data, and secrets.
        rendered += [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
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
    # arq logs two lines for each job, httpx one for each request, and asyncpg a traceback for each
    # attempt while PostgreSQL is away. Our own lines say what matters.
    for name, least in (
        ("arq.worker", logging.WARNING),
        ("httpx", logging.WARNING),
        ("asyncpg", logging.ERROR),
    ):
        is_debug = settings.log_level is LogLevel.DEBUG
        logging.getLogger(name).setLevel(logging.DEBUG if is_debug else least)
    # Never at debug: they log statements with customers' values, and frames of WebSockets, which
    # may cut a secret in two.
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
