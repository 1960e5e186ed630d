"""What the API's fields do: loaders, queries, mutations and subscriptions."""
