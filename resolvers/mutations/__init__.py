"""The fields of Mutation, one module per mutation or close family."""
