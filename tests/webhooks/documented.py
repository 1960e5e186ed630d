"""The examples in docs/webhooks.md."""

import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()


def example(language: str) -> str:
    """The example in a language."""
    [found] = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    text: str = found
    return text
