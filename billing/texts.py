"""Names, descriptions and reasons: what text people may write."""

from collections.abc import Iterator

from billing.problems import Problem, problem


def text_problems(text: str | None, maximum: int, *path: str | int) -> Iterator[Problem]:
    """What is wrong with a text that may be left out."""
    if text is None:
        return
    if len(text) > maximum:
        yield problem("LIMIT_EXCEEDED", f"{path[-1]} may have at most {maximum} characters.", *path)
    # PostgreSQL stores neither a NUL nor half of a surrogate pair.
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        yield problem("INVALID", f"{path[-1]} has a character that is no text.", *path)


def required_text_problems(text: str, maximum: int, *path: str | int) -> Iterator[Problem]:
    """What is wrong with a text that must say something."""
    if not text.strip():
        yield problem("INVALID", f"{path[-1]} must not be empty.", *path)
    yield from text_problems(text, maximum, *path)
