"""Numbers of things, in what commands say."""


def number_of(count: int, thing: str) -> str:
    """`1 row` or `2,000 rows`: of a thing whose plural ends in s."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"
