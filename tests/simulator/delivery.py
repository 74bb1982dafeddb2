"""Carries the emulator's change notifications to the host, as the loop's time comes to them."""

from __future__ import annotations

import asyncio
import json

from entra_graph_emulator import Emulator

from .instance import Stage


class Pump:
    """Takes what the emulator has to post and posts it, several at a time."""

    def __init__(self, stage: Stage, emulator: Emulator) -> None:
        self._stage = stage
        self._emulator = emulator
        self._bell = asyncio.Event()
        self._posting: set[asyncio.Task[None]] = set()
        self._newest = 0

    def kick(self) -> None:
        self._bell.set()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._bell.clear()
            for post in self._emulator.due():
                if post.attempt == 1:
                    self._judge(post.body)
                task = loop.create_task(self._emulator.send(post), name=f"post {post.number}")
                self._posting.add(task)
                task.add_done_callback(self._done)
            due = self._emulator.delivery.next_due()
            wait = None if due is None else max(0.001, (due - self._stage.clock.now()).total_seconds())
            try:
                async with asyncio.timeout(wait):
                    await self._bell.wait()
            except TimeoutError:
                continue

    def _done(self, task: asyncio.Task[None]) -> None:
        self._posting.discard(task)
        self._bell.set()

    def _judge(self, body: bytes) -> None:
        """Which oddities of delivery this post really had."""
        if self._emulator.delivery.settings.delay_s >= 1:
            self._stage.weather.saw("notifications-delayed")
        numbers = [
            item["resourceData"]["sequenceNumber"] for item in json.loads(body)["value"] if "resourceData" in item
        ]
        if len(set(numbers)) < len(numbers):
            self._stage.weather.saw("notifications-doubled")
        if any(number < self._newest for number in numbers):
            self._stage.weather.saw("notifications-shuffled")
        self._newest = max([self._newest, *numbers])
