"""The entry point of `metergraph` and of `python -m metergraph`."""

import signal


def main() -> None:
    """Imports the command and runs it."""
    interrupt = signal.getsignal(signal.SIGINT)
    # Importing takes half a second; Ctrl-C during that time should not print a traceback.
    if interrupt is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from metergraph.cli import main as run  # noqa: PLC0415  # after the signal is arranged

    signal.signal(signal.SIGINT, interrupt)
    run()


if __name__ == "__main__":
    main()
