"""`python -m config` is `metergraph`."""

from config.cli import main

main()
