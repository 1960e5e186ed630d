"""Operations that were run before: their plans and weights."""

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLSchema
from strawberry.types.graphql import OperationType

from schema.errors import TooComplex
from schema.plans import Plan
from transport.cost import Size, Weighing, Weight, weigh, weighing_of
from transport.limits import Limits, check_depth, check_values

_MOST_WEIGHTS = 100


class Prepared:
    """An operation of a remembered document.

    Its weight depends on its variables only by a few sizes, such as those of its pages. So it is
    weighed once for each combination of sizes.
    """

    def __init__(self, schema: GraphQLSchema, plan: Plan) -> None:
        self.plan = plan
        self.type = OperationType(plan.operation.operation.value)
        self._schema = schema
        self._sizes: list[Size] | None = None
        self._constant: Weight | None = None  # if no variable matters
        self._weights: dict[tuple[int, ...], Weight] = {}

    def weight(self, variables: Mapping[str, Any] | None) -> Weight:
        """Returns the weight; raises TooComplex for an operation that is nested too deeply."""
        if self._constant is not None:
            return self._constant
        weighing = self._weighing(variables)
        if self._sizes is None:
            found = weigh(weighing, self.plan.operation)
            self._sizes = weighing.sizes
            if not self._sizes:
                self._constant = found
            return found
        sizes = tuple(size.of(weighing, *size.arguments) for size in self._sizes)
        known = self._weights.get(sizes)
        if known is None:
            known = weigh(self._weighing(variables), self.plan.operation)
            if len(self._weights) >= _MOST_WEIGHTS:
                self._weights.clear()
            self._weights[sizes] = known
        return known

    def _weighing(self, variables: Mapping[str, Any] | None) -> Weighing:
        return weighing_of(self._schema, self.plan.document, self.plan.operation, variables)

    def allowed_cost(self, variables: Mapping[str, Any] | None, limits: Limits) -> int | None:
        """Returns the cost; None if a limit forbids the operation."""
        try:
            weight = self.weight(variables)
            check_depth(weight, limits)
            check_values(self.plan.operation, variables, limits)
        except TooComplex:
            return None
        return weight.once if weight.once <= limits.cost else None
