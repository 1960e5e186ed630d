"""Documents: parsed, bounded and validated once, then remembered by their text.

Clients send the same few documents over and over; parsing and validating one costs more than
most fields do. What depends on variables (the cost) is asked every time.
"""

import re
from collections import OrderedDict
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OverlappingFieldsCanBeMergedRule,
    parse,
    specified_rules,
    validate,
)

from schema.errors import Forbidden, TooComplex, Unauthenticated
from transport.limits import Limits, check_size
from transport.overlapping_fields import OverlappingFieldsRule

MAX_LENGTH = 100_000
MAX_DIGITS = 1_000
MAX_ERRORS = 5  # each may cost some milliseconds: what was meant is looked for among all types
_REMEMBERED = 500
_REMEMBERED_LENGTH = 10_000

# Both look at every character once, whatever the text: a number is looked at from its beginning,
# and a string without an end is a token as well.
_LONG_NUMBER = re.compile(rf"(?<![0-9])[0-9]{{{MAX_DIGITS}}}")
# A string, a comment, a name, a number, or a punctuator: the parser's tokens, neither more, or a
# document that it takes were refused, nor fewer. Counting them costs a hundredth of parsing them.
# In a block string a backslash is one, save before the quotes that would end it.
_TOKEN = re.compile(
    r'"""(?:[^"\\]|\\(?:""")?|"(?!""))*+(?:""")?|"(?:[^"\\\r\n]|\\[^\r\n])*+"?|#[^\r\n]*+'
    r"|[_A-Za-z][_A-Za-z0-9]*+|-?[0-9]++(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?"
    r"|\.\.\.|[^\s,\ufeff]"
)

RULES = tuple(
    OverlappingFieldsRule if rule is OverlappingFieldsCanBeMergedRule else rule
    for rule in specified_rules
)


@dataclass
class Documents:
    """The valid documents that a process has seen lately, by their text. One a schema."""

    limits: Limits
    introspection: bool = True
    listed: frozenset[str] | None = None  # where there is a list, nothing else is run
    _valid: OrderedDict[str, DocumentNode] = field(default_factory=OrderedDict)

    def knows(self, text: str) -> bool:
        """Whether a document is remembered: then it is valid, and no longer than is worth it."""
        return text in self._valid

    def parse(self, text: str, *, anonymous: bool) -> DocumentNode:
        """The document; raises GraphQLSyntaxError, TooComplex or Unauthenticated."""
        if self.listed is not None and text not in self.listed:
            raise Forbidden("Only operations of the server's list of persisted queries are run")
        if anonymous and _has_more_tokens(text, self.limits.anonymous_tokens):
            raise Unauthenticated(
                f"Without a token, a document may have {self.limits.anonymous_tokens:,} tokens"
            )
        known = self._valid.get(text)
        if known is not None:
            self._valid.move_to_end(text)
            return known
        check_text(text, self.limits.tokens)
        document = parse(text, max_tokens=self.limits.tokens)
        check_size(document, self.limits)
        return document

    def validate(
        self, text: str, schema: GraphQLSchema, document: DocumentNode
    ) -> list[GraphQLError]:
        """What is wrong with the document, in GraphQL's terms."""
        if text in self._valid:
            return []
        rules = RULES if self.introspection else (*RULES, NoSchemaIntrospectionCustomRule)
        errors = validate(
            schema,
            document,
            rules,
            max_errors=MAX_ERRORS,
            hide_suggestions=not self.introspection,
        )
        if not errors and len(text) <= _REMEMBERED_LENGTH:
            self._valid[text] = document
            if len(self._valid) > _REMEMBERED:
                self._valid.popitem(last=False)
        return errors


def check_text(text: str, tokens: int) -> None:
    """Raises TooComplex for a document that is too large to be parsed cheaply."""
    if len(text) > MAX_LENGTH:
        raise TooComplex(
            f"The document has {len(text):,} characters; allowed are {MAX_LENGTH:,}. "
            "Send values as variables."
        )
    if _LONG_NUMBER.search(text):
        raise TooComplex(f"The document has a number of {MAX_DIGITS:,} or more digits")
    if _has_more_tokens(text, tokens):
        raise TooComplex(f"The document has more than {tokens:,} tokens", maximumTokens=tokens)


def _has_more_tokens(text: str, limit: int) -> bool:
    if len(text) <= limit:
        return False
    return any(count > limit for count, _ in enumerate(_TOKEN.finditer(text), start=1))
