"""The commands of `metergraph`, one in each module; see `metergraph.cli`."""
