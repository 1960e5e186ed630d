"""The GraphQL API: types, inputs, scalars, connections, access, limits, and the HTTP view."""
