"""The demo of `metergraph dev` and `metergraph demo`: an organization, events and a plan."""
