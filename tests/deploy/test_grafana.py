"""The board for Grafana asks for metrics and labels that a running system has."""

import json
import re
from pathlib import Path
from typing import Any

import promql_parser
import yaml

from tests.metergraph.exposed import Exposed

ROOT = Path(__file__).parent.parent.parent
BOARD: dict[str, Any] = json.loads((ROOT / "deploy" / "grafana" / "metergraph.json").read_text())
PROVISIONING = ROOT / "deploy" / "grafana" / "provisioning.yaml"
ALERTS = ROOT / "docs" / "alerts.yaml"
PANELS: list[dict[str, Any]] = BOARD["panels"]
CHARTS = [panel for panel in PANELS if panel["type"] != "row"]
# What Prometheus adds to every series that it scrapes, and what it makes of a histogram.
OF_PROMETHEUS = {"job", "instance", "le"}


def queries() -> list[str]:
    """The queries of all panels, with values for Grafana's variables."""
    found = [target["expr"] for panel in CHARTS for target in panel["targets"]]
    return [query.replace("$__rate_interval", "1m") for query in found]


def rules() -> list[str]:
    groups = yaml.safe_load(ALERTS.read_text())["groups"]
    return [rule["expr"] for group in groups for rule in group["rules"]]


def parts(query: Any) -> list[Any]:
    """The expressions in a query that was parsed."""
    found: list[Any] = []
    promql_parser.walk(query, found.append)
    return found


def selected(query: Any) -> list[tuple[str, set[str]]]:
    """The metrics that a query asks for, each with the labels by which it chooses."""
    return [
        (str(part.name), {matcher.name for matcher in part.matchers.matchers})
        for part in parts(query)
        if isinstance(part, promql_parser.VectorSelector)
    ]


def grouping(query: Any) -> set[str]:
    """The labels by which a query groups."""
    modifiers = (getattr(part, "modifier", None) for part in parts(query))
    return {label for modifier in modifiers for label in getattr(modifier, "labels", None) or ()}


async def test_the_board_and_the_alerts_ask_for_metrics_and_labels_that_are_served(
    exposed: Exposed,
) -> None:
    for query in (*queries(), *rules()):
        expression = promql_parser.parse(query)
        labels = set()
        for name, chosen in selected(expression):
            assert name in exposed, f"{name} is not served"
            assert chosen <= exposed[name] | OF_PROMETHEUS
            labels |= exposed[name] | OF_PROMETHEUS
        assert labels, query
        assert grouping(expression) <= labels, query
    shown = {name for query in queries() for name, _chosen in selected(promql_parser.parse(query))}
    of_ours = {name for name in exposed if name.startswith("metergraph_")}
    # Of a histogram, the buckets are shown.
    unshown = {name for name in of_ours - shown if not re.search(r"_seconds_(sum|count)$", name)}
    assert unshown == {"metergraph_events_processed_total"}


def test_legends_name_labels_of_their_query() -> None:
    for panel in CHARTS:
        for target in panel["targets"]:
            for label in re.findall(r"{{(\w+)}}", target["legendFormat"]):
                query = target["expr"]
                grouped = re.search(r"\b(?:sum|max|min|count) by \(([^)]*)\)", query)
                kept = grouped[1] if grouped else f"instance {query}"
                assert label in kept, panel["title"]


def test_panels_have_a_place_of_their_own_and_say_what_they_show() -> None:
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    taken: set[tuple[int, int]] = set()
    for panel in PANELS:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        squares = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not squares & taken, panel["title"]
        taken |= squares
    for panel in CHARTS:
        assert panel["title"]
        assert panel["description"].endswith(".")
        for target in panel["targets"]:
            assert target["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
            assert 'job=~"$job"' in target["expr"]
    variables = {variable["name"]: variable["type"] for variable in BOARD["templating"]["list"]}
    assert variables == {"datasource": "datasource", "job": "query"}


def test_grafana_is_told_where_the_board_is() -> None:
    said = yaml.safe_load(PROVISIONING.read_text())
    assert said["apiVersion"] == 1
    [provider] = said["providers"]
    assert provider["type"] == "file"
    assert provider["options"]["path"].startswith("/")
    # Without an id, Grafana makes a new board instead of replacing the one before.
    assert "id" not in BOARD
    assert BOARD["uid"] == "metergraph"
