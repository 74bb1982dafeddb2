"""Plans as jobs over the bench of the command line: the endpoints that ask, and the function that works on them."""

from __future__ import annotations

from pathlib import Path

from sync_core.assembly import Runtime
from sync_core.config.file import Config, load_config
from sync_core.config.settings import load_settings
from sync_core.model.messages import PLAN_JOBS, decode_plan_run
from sync_core.ops.planner import Planner
from sync_core.storage.repositories import memory_storage

from .cli import SETTINGS, Bench
from .endpoints import call, said
from .faults import FaultyQueue, FaultyTable
from .world import World


class PlanBench(Bench):
    """Every request to storage goes through `faults`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.storage = memory_storage(
            self.clock,
            wrap_table=lambda name, table: FaultyTable(name, table, self.faults),
            wrap_queue=lambda name, queue: FaultyQueue(name, queue, self.faults),
        )

    def reader_of(self, config: Config) -> Runtime:
        """As bootstrap.reader_of."""
        storage, self.storage = self.storage, self.storage.for_reading()
        try:
            return self.build(load_settings(SETTINGS), config, read_only=True, on_look=lambda _: None)
        finally:
            self.storage = storage

    def ask(self, **asked: object) -> str:
        """The id of a new plan."""
        answer = call(self, "ask_plan", "Reader", body=asked)
        assert answer.status == 202, answer.body
        return str(said(answer)["id"])

    def work(self, *, most: int = 100) -> int:
        """Deliver the messages that are visible, as the host does. How many there were."""

        async def deliver() -> int:
            queue = self.storage.queues_by_name[PLAN_JOBS]
            for number in range(most):
                messages = await queue.receive(max_messages=1)
                if not messages:
                    return number
                deployed = load_config(self.folder / "sync.yaml")
                planner = Planner(plans=self.storage.plans, clock=self.clock, deployed=deployed, build=self.reader_of)
                await planner.run(decode_plan_run(messages[0].body))
                await queue.delete(messages[0])
            return most

        return self.do(deliver())

    def shown(self, job: str) -> dict[str, object]:
        return dict(said(call(self, "plan", "Reader", route={"plan": job})))

    def changes(self, job: str, **query: str) -> list[dict[str, object]]:
        """Of all pages."""
        found: list[dict[str, object]] = []
        after = ""
        while True:
            asked = {**query, **({"after": after} if after else {})}
            page = said(call(self, "plan_changes", "Reader", route={"plan": job}, query=asked))
            found += page["changes"]
            after = page["more"]
            if not after:
                return found


async def work_on_plans(world: World) -> None:
    """Deliver the messages of plans in a world, as the host does."""

    def reader_of(config: Config) -> Runtime:
        storage, world.storage = world.storage, world.storage.for_reading()
        try:
            return world.instance(config.syncs, started=False)
        finally:
            world.storage = storage

    queue = world.storage.queues_by_name[PLAN_JOBS]
    planner = Planner(plans=world.storage.plans, clock=world.clock, deployed=world.runtime.config, build=reader_of)
    while messages := await queue.receive(max_messages=1):
        await planner.run(decode_plan_run(messages[0].body))
        await queue.delete(messages[0])
