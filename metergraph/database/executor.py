"""Runs migrations through Tortoise in a fraction of its time.

Before each operation, Tortoise builds all models once more, as they are before it. Few operations
look at them, so here they are built when one does. It also prepares every model for queries, which
no migration makes: they send SQL.
"""

from typing import Any

from tortoise.migrations.executor import MigrationExecutor
from tortoise.migrations.graph import MigrationKey
from tortoise.migrations.schema_generator.state import ModelState, State
from tortoise.migrations.schema_generator.state_apps import StateApps


class Executor(MigrationExecutor):
    """Tortoise's executor, whose models have no queries, and whose copies are built on demand."""

    async def _project_state(
        self, applied: set[MigrationKey], *, upto: MigrationKey | None = None
    ) -> State:
        connections = {
            label: config.get("default_connection", "default")
            for label, config in self.loader.apps_config.items()
        }
        state = _BuiltOnDemand({}, _WithoutQueries(default_connections=connections))
        for key in self._full_plan():
            if key == upto:
                break
            if key in applied:
                migration: Any = self.loader.graph.nodes[key]
                await migration.apply(state, dry_run=True, schema_editor=None)
        return state


class _WithoutQueries(StateApps):
    """Models that know their columns and relations, and cannot be queried."""

    def _build_initial_querysets(self) -> None:
        for models in self.apps.values():
            for model in models.values():
                model._meta.finalise_fields()  # noqa: SLF001  # it has no public name


class _BuiltOnDemand(State):
    """A state whose copies describe the models at once, and build their classes when asked."""

    def clone(self) -> State:
        """Returns a copy of the models as they are now."""
        return _Copy({key: model.clone() for key, model in self.models.items()}, self.apps)


class _Copy(State):
    """A copy. Its classes, once they are asked for, use the connections of `source`."""

    def __init__(self, models: dict[tuple[str, str], ModelState], source: StateApps) -> None:
        self.models = models
        self._source = source

    def __getattr__(self, name: str) -> Any:
        if name != "apps":
            raise AttributeError(name)
        self.apps = self._source.clone(model_states=self.models)
        return self.apps
