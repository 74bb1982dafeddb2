"""One evaluated deployment. What only Azure knows stands in it as an expression in brackets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tools.infra import INFRA

type Resource = dict[str, Any]

_DURATION = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One alert: its query, how often it is run, and over how much of the past."""

    name: str
    query: str
    window: timedelta
    every: timedelta
    properties: Resource


@dataclass(frozen=True, slots=True)
class Deployment:
    text: str  # the whole snapshot

    @classmethod
    def committed(cls, name: str) -> Deployment:
        return cls((INFRA / "snapshots" / f"{name}.snapshot.json").read_text(encoding="utf-8"))

    @property
    def resources(self) -> list[Resource]:
        return list(json.loads(self.text)["predictedResources"])

    def of(self, kind: str) -> list[Resource]:
        """By type; those of Microsoft Graph have their version in it."""
        return [each for each in self.resources if each["type"].partition("@")[0] == kind]

    def one(self, kind: str) -> Resource:
        found = self.of(kind)
        assert len(found) == 1, f"{len(found)} of {kind}"
        return found[0]

    def names(self, kind: str) -> list[str]:
        """The last part of each, which is its own."""
        return [each["name"].rpartition("/")[2] for each in self.of(kind)]

    def config(self, name: str) -> Resource:
        """One of the app's `sites/config`."""
        found = [each for each in self.of("Microsoft.Web/sites/config") if each["name"].endswith(f"/{name}")]
        assert len(found) == 1, f"{len(found)} of {name}"
        properties: Resource = found[0]["properties"]
        return properties

    @property
    def settings(self) -> dict[str, str]:
        return self.config("appsettings")

    def registration(self, which: str) -> Resource:
        """Properties of the app registration `source`, `target` or `operators`."""
        found = [
            each["properties"]
            for each in self.of("Microsoft.Graph/applications")
            if each["properties"]["uniqueName"].startswith(f"xtsync-{which}-")
        ]
        assert len(found) == 1, f"{len(found)} of {which}"
        properties: Resource = found[0]
        return properties

    @property
    def rules(self) -> list[Rule]:
        return [_rule(each) for each in self.of("Microsoft.Insights/scheduledQueryRules")]

    def rule(self, name: str) -> Rule:
        (found,) = (each for each in self.rules if each.name == name)
        return found

    @property
    def charts(self) -> dict[str, str]:
        """The workbook's queries by the names of their items."""
        book = json.loads(self.one("Microsoft.Insights/workbooks")["properties"]["serializedData"])
        return {item["name"]: item["content"]["query"] for item in book["items"] if "query" in item["content"]}

    def queries(self) -> Iterator[tuple[str, str]]:
        """All of them: alerts, then charts."""
        yield from ((f"alert {rule.name}", rule.query) for rule in self.rules)
        yield from ((f"chart {name}", query) for name, query in self.charts.items())


def _rule(resource: Resource) -> Rule:
    properties = resource["properties"]
    (criterion,) = properties["criteria"]["allOf"]
    return Rule(
        name=resource["name"].removeprefix("alert-"),
        query=criterion["query"],
        window=_duration(properties["windowSize"]),
        every=_duration(properties["evaluationFrequency"]),
        properties=properties,
    )


def _duration(text: str) -> timedelta:
    found = _DURATION.fullmatch(text)
    assert found is not None, text
    return timedelta(hours=int(found[1] or 0), minutes=int(found[2] or 0))
