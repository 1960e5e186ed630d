"""How much a quick run tries, so that `make test` stays a matter of minutes.

It tries a tenth of the examples of each property test, and leaves out the tests marked `slow`.
`make test-all` leaves nothing out.
"""

from hypothesis import settings

_FEWEST = 5


def examples(full: int) -> settings:
    """Settings for a property test of `full` examples, or a tenth of them in a quick run."""
    is_quick = settings.get_current_profile_name() == "quick"
    return settings(max_examples=max(min(full, _FEWEST), full // 10) if is_quick else full)
