"""The commands of `metergraph`, a module each; see `config.cli`."""
