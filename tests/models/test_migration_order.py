"""Migrations have one end, so that each runs after all that were there when it was written."""

from importlib import import_module
from pkgutil import iter_modules

from models import migrations


def test_all_migrations_lead_to_one() -> None:
    names = {module.name for module in iter_modules(migrations.__path__)}
    followed = {
        name
        for each in names
        for _, name in import_module(f"models.migrations.{each}").Migration.dependencies
    }

    assert followed <= names
    assert len(names - followed) == 1
