"""Attribute mapping: what the target user should look like, given the source user. Pure.

`attributes` knows what Graph lets a target user have and `sources` what it tells of a source user, `expressions` is
Entra's language, `rules` evaluates a mapping, `checks` finds what is wrong with one, `default` is Microsoft's own.
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
