"""The commands of `metergraph`, a module each; see `metergraph.cli`."""
