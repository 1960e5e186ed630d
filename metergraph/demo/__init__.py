"""What `metergraph dev` and `metergraph demo` make: an organization, events, a plan."""
