"""The fields of Mutation: one file a mutation or close family."""
