"""The receiver in TypeScript of docs/webhooks.md, with npm standardwebhooks."""

from tests.contract.server import HERE
from tests.webhooks.conftest import hooks
from tests.webhooks.documented import example
from tests.webhooks.test_receivers import takes_messages_once
from tests.webhooks.world import Hooks

__all__ = ["hooks"]  # a fixture


async def test_the_receiver_in_typescript(hooks: Hooks, node: str) -> None:  # the fixture
    program = HERE / "receiver.ts"
    program.write_text(example("typescript"))
    try:
        await takes_messages_once(hooks, node, str(HERE / "run_typescript.mjs"), str(program))
    finally:
        program.unlink()
