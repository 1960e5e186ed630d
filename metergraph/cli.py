"""The command `metergraph`. Each module of `metergraph/commands` has a `command`.

`import_.py` is `metergraph import`. A module is imported when its command is used, so that every
command starts fast.
"""

import difflib
import gc
import importlib
import os
import pkgutil
import sys

import click
from pydantic import ValidationError

from config.settings import LogLevel, Settings, get_settings, variable_name
from metergraph import commands
from metergraph.logging import configure_logging, redact
from metergraph.sentences import sentence


class Commands(click.Group):
    """The commands found in `metergraph/commands`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Lists their names."""
        del ctx
        return sorted(_names())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports one of them."""
        del ctx
        module = _names().get(cmd_name)
        if module is None:
            return None
        # Imports leave almost no garbage, and collecting it takes a seventh of the start.
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
    """Runs the command line. An error is a sentence on standard error and exit code 1."""
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
        # The reader of our output has gone, so we cannot report it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        if os.environ.get(variable_name("log_level"), "").lower() == LogLevel.DEBUG:
            raise
        _complain(sentence(error))
        sys.exit(1)


def _warn_of_unknown_variables() -> None:
    """Warns of variables whose names are misspelt and so have no effect."""
    prefix = variable_name("")
    known = {variable_name(field) for field in (*Settings.model_fields, "api_url", "token")}
    for name in sorted(os.environ):
        if name.startswith(prefix) and name not in known and not name.startswith(_OF_OTHERS):
            close = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean {close[0]}?" if close else "."
            click.echo(f"Warning: {name} is not a setting of Metergraph{hint}", err=True)
            # The processes that we start need not repeat the warning.
            del os.environ[name]


# Kubernetes derives variables from the names of services, and the tests have some of their own.
_OF_OTHERS = tuple(variable_name(part) for part in ("port_", "service_", "test_"))


def _complain(text: str) -> None:
    click.echo(f"Error: {text}", err=True)
