"""Where `metergraph` begins, and `python -m metergraph`, which is the same."""

import signal


def main() -> None:
    """Import the command, and run it."""
    interrupt = signal.getsignal(signal.SIGINT)
    # Importing takes half a second, and nobody catches its KeyboardInterrupt.
    if interrupt is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from metergraph.cli import main as run  # noqa: PLC0415  # after the signal is arranged

    signal.signal(signal.SIGINT, interrupt)
    run()


if __name__ == "__main__":
    main()
