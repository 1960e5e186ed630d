"""How many examples a property test tries.

`make test` tries a fifth, so that it stays a matter of minutes. CI tries them all:
`make test ARGS="--hypothesis-profile thorough"`.
"""

from hypothesis import settings

_FEWEST = 10


def examples(full: int) -> settings:
    """Settings for a property test of `full` examples, or a fifth of them in a quick run."""
    is_quick = settings.get_current_profile_name() == "quick"
    return settings(max_examples=max(min(full, _FEWEST), full // 5) if is_quick else full)
