"""Attribute mapping: the attributes of the target user, computed from those of the source user. Pure.

- `attributes`: what Graph lets a target user have; `sources`: what it tells of a source user
- `expressions`: Entra's language; `rules`: evaluates a mapping for one user
- `checks`: faults of a mapping, found at load; `default`: Microsoft's own mapping
"""

from .attributes import EXTENSION_ATTRIBUTES, TARGET_ATTRIBUTES, TargetAttribute, target_attribute
from .default import DEFAULT_MAPPING
from .rules import apply_mapping, source_attributes

__all__ = [
    "DEFAULT_MAPPING",
    "EXTENSION_ATTRIBUTES",
    "TARGET_ATTRIBUTES",
    "TargetAttribute",
    "apply_mapping",
    "source_attributes",
    "target_attribute",
]
