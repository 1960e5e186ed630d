"""Commands as these tests run them, and a mapping for `metergraph import`."""

from collections.abc import Awaitable, Callable

from tests.commands import Result

ROWS = 2_345
MAPPING = (
    *("--name", "ai_usage", "--customer", "customer-{row%10}"),
    *("--timestamp", "{TIMESTAMP}", "--assume-utc"),
    *("--number", "context_tokens={ContextTokens}"),
    *("--number", "generated_tokens={GeneratedTokens}"),
)


RunImport = Callable[..., Awaitable[Result]]
RunMetergraph = Callable[..., Awaitable[tuple[int, str]]]
