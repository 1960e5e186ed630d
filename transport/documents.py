"""Parses, limits and validates documents once, and remembers valid ones by their text.

Clients repeat a few documents, and parsing and validating one costs more than most fields do. What
depends on variables, such as the cost, is checked every time.
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
from schema.plans import Plans
from transport.limits import Limits, check_size
from transport.overlapping_fields import OverlappingFieldsRule
from transport.prepared import Prepared

MAX_LENGTH = 100_000
MAX_DIGITS = 1_000
MAX_ERRORS = 5  # each may take milliseconds, because suggestions search all types
_REMEMBERED = 500
_REMEMBERED_LENGTH = 10_000

# Both patterns look at each character once, for any text: a number is matched from its beginning,
# and an unterminated string is a token too.
_LONG_NUMBER = re.compile(rf"(?<![0-9])[0-9]{{{MAX_DIGITS}}}")
# A string, a comment, a name, a number or a punctuator: exactly the parser's tokens, so that counts
# agree. Counting takes a hundredth of the time of parsing. In a block string, a backslash escapes
# only the quotes that would end it.
_TOKEN = re.compile(
    r'"""(?:[^"\\]|\\(?:""")?|"(?!""))*+(?:""")?|"(?:[^"\\\r\n]|\\[^\r\n])*+"?|#[^\r\n]*+'
    r"|[_A-Za-z][_A-Za-z0-9]*+|-?[0-9]++(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?"
    r"|\.\.\.|[^\s,\ufeff]"
)

RULES = tuple(
    OverlappingFieldsRule if rule is OverlappingFieldsCanBeMergedRule else rule
    for rule in specified_rules
)


@dataclass(frozen=True, slots=True)
class _Remembered:
    """A valid document, and its operations that were run, by the name that asked for them."""

    document: DocumentNode
    prepared: dict[str | None, Prepared] = field(default_factory=dict)


@dataclass
class Documents:
    """A process's recent valid documents, by their text; one instance per schema."""

    limits: Limits
    introspection: bool = True
    listed: frozenset[str] | None = None  # the only documents that may run
    plans: Plans = field(default_factory=Plans)
    _valid: OrderedDict[str, _Remembered] = field(default_factory=OrderedDict)

    def knows(self, text: str) -> bool:
        """Whether a document is remembered and therefore valid."""
        return text in self._valid

    def parse(self, text: str, *, anonymous: bool) -> DocumentNode:
        """Parses a document; raises GraphQLSyntaxError, or TooComplex and other API errors."""
        if self.listed is not None and text not in self.listed:
            raise Forbidden("Only operations on the server's list of persisted queries are allowed")
        if anonymous and _has_more_tokens(text, self.limits.anonymous_tokens):
            raise Unauthenticated(
                "Without an access token, a document may have at most "
                f"{self.limits.anonymous_tokens:,} GraphQL tokens"
            )
        known = self._valid.get(text)
        if known is not None:
            self._valid.move_to_end(text)
            return known.document
        check_text(text, self.limits.tokens)
        document = parse(text, max_tokens=self.limits.tokens)
        check_size(document, self.limits)
        return document

    def validate(
        self, text: str, schema: GraphQLSchema, document: DocumentNode
    ) -> list[GraphQLError]:
        """Returns the document's validation errors."""
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
            self._valid[text] = _Remembered(document)
            self.plans.remember(document)
            if len(self._valid) > _REMEMBERED:
                _, forgotten = self._valid.popitem(last=False)
                self.plans.forget(forgotten.document)
        return errors

    def prepared(
        self, text: str, schema: GraphQLSchema, operation_name: str | None
    ) -> Prepared | None:
        """Returns an operation of a remembered document; None if there is none."""
        known = self._valid.get(text)
        if known is None:
            return None
        self._valid.move_to_end(text)
        found = known.prepared.get(operation_name)
        if found is None:
            plan = self.plans.find(schema, known.document, operation_name)
            if plan is not None:
                found = known.prepared[operation_name] = Prepared(schema, plan)
        return found


def check_text(text: str, tokens: int) -> None:
    """Raises TooComplex for a document that is too large to be parsed cheaply."""
    if len(text) > MAX_LENGTH:
        raise TooComplex(
            f"The document has {len(text):,} characters; at most {MAX_LENGTH:,} are "
            "allowed. Send values as variables."
        )
    if _LONG_NUMBER.search(text):
        raise TooComplex(f"The document has a number of {MAX_DIGITS:,} or more digits")
    if _has_more_tokens(text, tokens):
        raise TooComplex(f"The document has more than {tokens:,} tokens", maximumTokens=tokens)


def _has_more_tokens(text: str, limit: int) -> bool:
    if len(text) <= limit:
        return False
    return any(count > limit for count, _ in enumerate(_TOKEN.finditer(text), start=1))
