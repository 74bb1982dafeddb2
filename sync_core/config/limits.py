"""The shape that all of sync.yaml has in common, and the shapes of limits: of deletions, and of invitations."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from .. import model
from .durations import DURATION, duration

Duration = Annotated[
    timedelta, BeforeValidator(duration), WithJsonSchema({"type": "string", "pattern": DURATION, "default": "24h"})
]


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


class LimitShape(Shape):
    """How many people may lose access within a window: the larger of the two."""

    max_percent: float = Field(default=5, ge=0, le=100, description="Percentage of the linked users.")
    min_count: int = Field(default=10, ge=0, description="Number of people that is always allowed.")


class MonthShape(LimitShape):
    """How many people may lose access within any thirty days: the larger of the two."""

    max_percent: float = Field(default=10, ge=0, le=100, description="Percentage of the linked users.")
    min_count: int = Field(default=20, ge=0, description="Number of people that is always allowed.")

    def limit(self) -> model.Limit:
        return model.Limit(max_percent=self.max_percent, min_count=self.min_count, window=model.MONTH)


class GuardShape(LimitShape):
    """Limits of deletions and disables. Above one of them, a person is asked. One person counts once in a window."""

    window: Duration = Field(
        default=timedelta(hours=24), description="Length of the window in minutes, hours or days: 30m, 24h, 7d."
    )
    month: MonthShape | None = Field(
        default=None, description="The limit of any thirty days; without it, twice the limit of the window."
    )

    def limits(self) -> model.GuardLimits:
        return model.GuardLimits(
            max_percent=self.max_percent,
            min_count=self.min_count,
            window=self.window,
            month=None if self.month is None else self.month.limit(),
        )


class CreationShape(LimitShape):
    """How many newcomers are invited within a window: the larger of the two. Beyond it they wait for a person."""

    max_percent: float = Field(
        default=model.CREATIONS.max_percent, ge=0, le=100, description="Percentage of the linked users."
    )
    min_count: int = Field(
        default=model.CREATIONS.min_count, ge=0, description="Number of newcomers that is always allowed."
    )
    window: Duration = Field(
        default=model.CREATIONS.window, description="Length of the window in minutes, hours or days: 30m, 24h, 7d."
    )

    def limit(self) -> model.Limit:
        return model.Limit(max_percent=self.max_percent, min_count=self.min_count, window=self.window)


def _creations(value: object) -> object:
    """The ceiling, or None for `off`, which needs no quotes: an unquoted value keeps its text."""
    if value == "off":
        return None
    if isinstance(value, dict | CreationShape):
        return value
    raise ValueError("must be off, or have max_percent, min_count and window")


Creations = Annotated[
    CreationShape | None,
    BeforeValidator(_creations, json_schema_input_type=CreationShape | Literal["off"]),
]
