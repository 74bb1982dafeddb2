"""`make demo` with fewer people, and what the alerts and the workbook would say of it: nothing, and everything."""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import httpx
import pytest
import pytest_asyncio
from rich.console import Console

from local.demo import Demo
from local.emulated import Emulated, until
from local.functions_host.telemetry import Row
from local.stack import BY_HAND, Stack
from tests.infra import program
from tests.infra.kql import Workspace, with_time_range
from tests.infra.snapshots import Deployment
from tests.support.stack import built_in_host
from tests.support.telemetry import read_telemetry

pytestmark = built_in_host  # its telemetry; on Core Tools `make demo` tells the same story
PEOPLE = 60
DEPLOYMENT = Deployment.committed("plain")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def rows(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[list[tuple[str, Row]]]:
    """The telemetry of the whole story, of one more poll after it, and of a post that is not Graph's."""
    path = tmp_path_factory.mktemp("demo") / "telemetry.jsonl"
    said = io.StringIO()
    async with Stack(settings=BY_HAND, telemetry=path) as stack, Emulated(stack.graph_url) as emulated:
        demo = Demo(stack=stack, emulated=emulated, console=Console(file=said, width=120), people=PEOPLE)
        await demo.run()
        assert demo.agreed, said.getvalue()
        forged = {"value": [{"subscriptionId": "00000000-0000-0000-0000-000000000000", "clientState": "forged"}]}
        async with httpx.AsyncClient() as http:
            await http.post(f"{stack.functions_url}/api/graph/notifications", json=forged)
        await stack.start_by_hand("poll_feeds")

        async def measured() -> bool:
            return len(_times(read_telemetry(path), "feed.completed tenant=contoso ")) == 3

        assert await until(measured, timeout_s=20)
    yield read_telemetry(path)


@pytest.mark.asyncio(loop_scope="module")
async def test_no_alert_fires_through_the_demo(rows: list[tuple[str, Row]]) -> None:
    """From the first completed and measured round on, also at the end, after a third were deleted and approved.

    The poll measures while the pages it asked for are read, so that either of the two may come first.
    """
    first = max(_times(rows, said)[0] for said in ("feed.completed ", "feed.measured "))
    last = rows[-1][1]["TimeGenerated"]
    moments = [first + (last - first) * n / 5 for n in range(6)]
    with Workspace(rows) as workspace:
        fired = [
            (rule.name, moment - first)
            for rule in DEPLOYMENT.rules
            for moment in moments
            if workspace.answer(rule.query, until=moment, window=rule.window)
        ]
    assert fired == []


@pytest.mark.asyncio(loop_scope="module")
async def test_the_charts_show_the_demo(rows: list[tuple[str, Row]]) -> None:
    """All but those of what went wrong, and of telemetry, which is off; the state is what the last poll measured."""
    end = rows[-1][1]["TimeGenerated"] + timedelta(seconds=1)
    with Workspace(rows) as workspace:
        shown = {name: workspace.answer(with_time_range(query), until=end) for name, query in DEPLOYMENT.charts.items()}
    of_telemetry = {name for name, query in DEPLOYMENT.charts.items() if re.search("AppMetrics|AppDependencies", query)}
    empty = {name for name, answer in shown.items() if not answer}
    assert empty <= {"parked", "again", "throttling", "throttled-for", *of_telemetry}
    (state,) = shown["state"]
    assert (state["Sync"], state["Parked"], state["Held"]) == ("contoso-to-fabrikam", 0, 0)
    assert sum(row["Posts"] for row in shown["refused"]) == 1
    assert {row["Function"] for row in shown["functions"]} <= program.functions()
    assert [row["Function"] for row in shown["functions"] if row["Failed"]] == []


def _times(rows: list[tuple[str, Row]], event: str) -> list[datetime]:
    return [row["TimeGenerated"] for _, row in rows if row.get("Message", "").startswith(event)]
