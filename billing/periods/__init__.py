"""A customer's periods on a meter: opened, closed, renewed and rated again."""
