"""All settings, read from environment variables: `METERGRAPH_` and the name of the field.

A test compares the README's table with these descriptions.
"""

from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from pydantic import Field, PositiveFloat, PositiveInt
from pydantic_settings import BaseSettings, SettingsConfigDict

from config.values import (
    HourOrOff,
    Keys,
    Origins,
    OriginsOrAny,
    PostgresUrl,
    Proxies,
    PublicUrl,
    Rate,
    RedisUrl,
)


class LogFormat(StrEnum):
    """The form of log lines."""

    CONSOLE = "console"
    JSON = "json"


class LogLevel(StrEnum):
    """The lowest level that is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Settings(BaseSettings):
    """The settings of a process, which do not change.

    Raises:
        pydantic.ValidationError: a variable of the environment has no valid value.
    """

    model_config = SettingsConfigDict(
        env_prefix="METERGRAPH_",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
    )

    database_url: PostgresUrl | None = Field(
        default=None,
        description="PostgreSQL 15 or later, as `postgresql://user:password@host:5432/name`; "
        "for a socket, `postgresql://user@/name?host=/directory`. "
        "Empty: the embedded PostgreSQL.",
    )
    redis_url: RedisUrl | None = Field(
        default=None,
        description="Redis 6 or later, as `redis://host:6379/0`, `rediss://…` or "
        "`unix:///path?db=0`. Empty: the embedded Redis.",
    )
    data_dir: Path = Field(
        default=Path(".metergraph"),
        description="Where the embedded servers keep their data.",
    )
    host: str = Field(
        default="127.0.0.1",
        description="The address that the API, and a worker with a port, listens on.",
    )
    port: int = Field(
        default=8000,
        ge=0,
        le=65535,
        description="The port that the API listens on; 0 takes any free port.",
    )
    worker_port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="A port on which a worker answers `/healthz`, `/readyz` and `/metrics`. "
        "Empty: none.",
    )
    log_format: LogFormat | None = Field(
        default=None,
        description="`console` or `json`. Empty: `console` on a terminal, else `json`.",
    )
    log_level: LogLevel = Field(
        default=LogLevel.INFO, description="`debug`, `info`, `warning` or `error`."
    )

    graphiql: bool = Field(default=True, description="Serve GraphiQL to browsers at `/graphql`.")
    introspection: bool = Field(default=True, description="Answer introspection queries.")
    cors_origins: OriginsOrAny = Field(
        default=(),
        description="Origins whose pages may call the API and open WebSockets, separated by "
        "commas; `*` is every origin. Empty: the API's own origin only.",
    )

    public_url: PublicUrl | None = Field(
        default=None,
        description="The address that browsers use, such as `https://usage.example`. Links to the "
        "portal begin with it, and its pages count as the server's own. Empty: the host that each "
        "request was sent to.",
    )

    portal_frame_ancestors: Origins = Field(
        default=(),
        description="Origins whose pages may show the portal in a frame, separated by commas. "
        "Empty: none.",
    )

    trusted_proxies: Proxies = Field(
        default=("127.0.0.1", "::1"),
        description="Proxies whose `X-Forwarded-Host`, `-Proto` and `-For` are trusted: addresses "
        "or networks such as `10.0.0.0/8`, separated by commas; `*` is every address.",
    )

    database_pool_size: PositiveInt = Field(
        default=20,
        description="The most connections to PostgreSQL that one process opens for requests or "
        "jobs; for tokens, health and metrics it opens up to five more.",
    )
    statement_timeout_seconds: PositiveFloat = Field(
        default=30.0, description="How long a statement of the API may run before it is cancelled."
    )
    request_timeout_seconds: PositiveFloat = Field(
        default=60.0,
        description="How long a request, or an operation over a WebSocket, may take before it is "
        "answered with an error; subscriptions have no limit.",
    )
    shutdown_timeout_seconds: PositiveFloat = Field(
        default=5.0, description="How long requests and jobs may take to end on shutdown."
    )

    max_body_bytes: PositiveInt = Field(
        default=10 * 1024 * 1024, description="The largest request body."
    )
    max_batch_events: PositiveInt = Field(
        default=10_000, le=10_000, description="The most events in one `eventsIngest`."
    )
    max_query_cost: PositiveInt = Field(
        default=20_000,
        description="The highest cost of an operation: its fields times the sizes of the pages "
        "around.",
    )
    max_query_depth: PositiveInt = Field(
        default=20, description="The deepest nesting of fields in an operation."
    )
    max_query_tokens: PositiveInt = Field(
        default=2_000, description="The most tokens in a GraphQL document."
    )
    max_scans: PositiveInt = Field(
        default=4,
        description="The most scans that one process runs at a time: previews, searches and counts "
        "of events, each of which uses a processor of the database. An organization may use half "
        "of them.",
    )
    max_batch_operations: PositiveInt = Field(
        default=10, description="The most operations that one request may batch."
    )
    max_subscriptions_per_connection: PositiveInt = Field(
        default=200, description="The most operations that one WebSocket runs at a time."
    )
    max_subscriptions_per_token: PositiveInt = Field(
        default=1_000,
        description="The most subscriptions that one token has open in one process, over any "
        "number of connections.",
    )
    persisted_queries: Path | None = Field(
        default=None,
        description="A file with the only operations that are allowed: Apollo's manifest of "
        "persisted queries, or a JSON object of documents by hash. Empty: all operations are "
        "allowed.",
    )
    rate_limit: Rate | None = Field(
        default=None,
        description="The rate limit of a token, such as `600/minute` or `20/second`; an "
        "operation over a WebSocket counts as a request. Empty: no limit.",
    )
    websocket_init_timeout_seconds: PositiveFloat = Field(
        default=10.0,
        description="How long a new WebSocket may take to send `connection_init`.",
    )
    customer_session_minutes: PositiveInt = Field(
        default=60, description="How long a customer's session token is valid."
    )

    secret_key: Keys | None = Field(
        default=None,
        description="The key that encrypts the secrets of webhooks: 32 random bytes in base64, "
        "such as the output of `openssl rand -base64 32`. With several, separated by commas, the "
        "first encrypts and all decrypt. Needed for webhooks, by the API and the workers.",
    )
    webhook_allow_insecure: bool = Field(
        default=False,
        description="Send webhooks also to `http` URLs, and to private and local addresses. For "
        "development only: it lets organizations send requests into your network.",
    )

    external_id_days: PositiveInt | None = Field(
        default=None,
        description="How many days after an event was stored its `externalId` can be used for "
        "another. Empty: never, so each is unique for ever.",
    )
    event_retention_months: PositiveInt | None = Field(
        default=None,
        description="After how many months a worker archives events, once a day, as `metergraph "
        "archive` does. Needs an archive directory. Empty: never, so events stay for ever.",
    )
    archive_directory: Path | None = Field(
        default=None,
        description="The existing directory to which a worker archives events. Only for workers "
        "that have it.",
    )
    audit_hour: HourOrOff = Field(
        default=3,
        description="The hour (UTC) from which workers slowly compare cached usage with the raw "
        "events, for at most four hours. `off`: never.",
    )


def variable_name(field: str) -> str:
    """The environment variable of a field, such as `METERGRAPH_DATA_DIR` for `data_dir`."""
    return f"METERGRAPH_{field.upper()}"


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """Returns the settings of this process, which are read once."""
    return Settings()
