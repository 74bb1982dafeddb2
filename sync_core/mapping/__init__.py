"""Attribute mapping: what the target user should look like, given the source user. Pure.

`attributes` knows what Graph lets a target user have, `rules` evaluates a mapping, `default` is Microsoft's own.
"""

from .attributes import TARGET_ATTRIBUTES, TargetAttribute
from .default import DEFAULT_MAPPING
from .rules import apply_mapping, source_attributes

__all__ = ["DEFAULT_MAPPING", "TARGET_ATTRIBUTES", "TargetAttribute", "apply_mapping", "source_attributes"]
