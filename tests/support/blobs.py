"""Append blobs in memory, which fail when they are told to."""

from __future__ import annotations

from collections import defaultdict

from sync_core.model.errors import UnavailableError


class MemoryBlobs:
    """Blocks by the name of their blob. With `lost`, the next block is stored and its answer is lost."""

    def __init__(self) -> None:
        self.blocks: dict[str, list[bytes]] = defaultdict(list)
        self.down = self.lost = False

    async def append(self, name: str, content: bytes) -> None:
        if self.down:
            raise UnavailableError("down")
        self.blocks[name].append(content)
        if self.lost:
            self.lost = False
            raise UnavailableError("no answer")

    def text(self, name: str) -> str:
        return b"".join(self.blocks[name]).decode()
