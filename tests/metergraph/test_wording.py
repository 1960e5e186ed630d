"""Numbers of things, as commands say them."""

from metergraph.sentences import number_of


def test_one_is_singular_and_thousands_are_set_apart() -> None:
    said = [number_of(count, "row") for count in (0, 1, 2, 2_000)]
    assert said == ["0 rows", "1 row", "2 rows", "2,000 rows"]
