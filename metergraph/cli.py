"""The command `metergraph`. A command is a module of `metergraph/commands` with a `command`.

A module's underscores at its end are dropped: `import_.py` is `metergraph import`. Modules are
imported when their command is used, so that each starts fast.
"""

import difflib
import gc
import importlib
import os
import pkgutil
import socket
import sys

import click
from pydantic import ValidationError

from config.settings import LogLevel, Settings, get_settings, variable_name
from metergraph import commands
from metergraph.database.database_url import address
from metergraph.logging import configure_logging, redact


class Commands(click.Group):
    """The commands found in `metergraph/commands`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names."""
        del ctx
        return sorted(_names())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One of them, imported now."""
        del ctx
        module = _names().get(cmd_name)
        if module is None:
            return None
        # Imports leave next to no garbage; looking for it takes a seventh of the start.
        gc.disable()
        try:
            found = importlib.import_module(f"metergraph.commands.{module}")
        finally:
            gc.enable()
        command: click.Command = found.command
        return command


def _names() -> dict[str, str]:
    return {
        module.name.rstrip("_").replace("_", "-"): module.name
        for module in pkgutil.iter_modules(commands.__path__)
    }


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="metergraph")
def cli() -> None:
    """Usage-based billing that a team hosts itself."""


def main() -> None:
    """Run the command line. What goes wrong is a sentence on standard error and exit code 1."""
    try:
        configure_logging(get_settings())
        _warn_of_unknown_variables()
        cli.main(prog_name="metergraph", standalone_mode=False)
    except click.exceptions.Exit as stopped:
        sys.exit(stopped.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except ValidationError as error:
        for problem in error.errors():
            name = variable_name(str(problem["loc"][0])) if problem["loc"] else "A setting"
            reason = problem["msg"].removeprefix("Value error, ")
            _complain(f"{name} is not valid: {redact(repr(problem['input']))}: {reason}.")
        sys.exit(1)
    except BrokenPipeError:
        # Whoever read our output has gone; there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:  # a person reads this, not a program
        if os.environ.get(variable_name("log_level"), "").lower() == LogLevel.DEBUG:
            raise
        _complain(sentence(error))
        sys.exit(1)


def _warn_of_unknown_variables() -> None:
    """A setting whose name is misspelt would have no effect, and nobody would know."""
    prefix = variable_name("")
    known = {variable_name(field) for field in (*Settings.model_fields, "api_url", "token")}
    for name in sorted(os.environ):
        if name.startswith(prefix) and name not in known and not name.startswith(_OF_OTHERS):
            close = difflib.get_close_matches(name, known, 1)
            hint = f"; is {close[0]} meant?" if close else "."
            click.echo(f"Warning: {name} is no setting of Metergraph{hint}", err=True)
            # The processes that we start need not say it again.
            del os.environ[name]


def sentence(error: Exception) -> str:
    """What went wrong, for a person.

    Messages of our own errors are sentences. Of others the type says more than the message. A group
    has a line for each error.
    """
    if isinstance(error, ExceptionGroup):
        return "\n".join(dict.fromkeys(map(sentence, error.exceptions)))
    return _sentence_of_one(error)


def _sentence_of_one(error: Exception) -> str:
    if type(error).__module__.startswith("tortoise.") and isinstance(error.__cause__, Exception):
        return sentence(error.__cause__)
    message = redact(str(error)).strip()
    if type(error).__module__.partition(".")[0] in _OURS:
        return message
    if type(error).__module__.startswith("redis."):
        return f"Redis cannot be used: {message}"
    if isinstance(error, ConnectionError | TimeoutError | socket.gaierror):
        url = get_settings().database_url
        where = f" at {address(url)}" if url else ""
        return f"PostgreSQL cannot be reached{where}: {message or 'it does not answer'}"
    if type(error).__module__.startswith("asyncpg."):
        return f"PostgreSQL said: {message}"
    name = type(error).__name__
    return (
        f"{name}: {message or 'no more is known'} "
        f"({variable_name('log_level')}=debug shows where it happened.)"
    )


_OURS: frozenset[str] = frozenset(
    {
        "billing",
        "config",
        "metergraph",
        "metering",
        "models",
        "resolvers",
        "schema",
        "transport",
        "waiting",
        "workers",
    }
)


# Kubernetes makes variables of a service's name, and the tests have some of their own.
_OF_OTHERS = tuple(variable_name(part) for part in ("port_", "service_", "test_"))


def _complain(text: str) -> None:
    click.echo(f"Error: {text}", err=True)
