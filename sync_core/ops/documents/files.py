"""Documents about files: sync.yaml, cases of mappings, a schema of Entra's."""

from __future__ import annotations

from collections.abc import Sequence

from ...config.cases import Difference
from ...config.entra import Note
from ...model.errors import Fault
from .rendering import document


@document
class Validation:
    """Whether a sync.yaml (and the app settings, where they were asked for) is right."""

    file: str
    valid: bool
    syncs: Sequence[str]
    faults: Sequence[Fault]
    warnings: Sequence[Fault]


@document
class MappingCase:
    name: str
    passed: bool
    differences: Sequence[Difference]


@document
class MappingCases:
    cases: Sequence[MappingCase]


@document
class ImportedSchema:
    """A sync.yaml. `notes` has the parts that did not come along, `faults` the lines that a person has to correct."""

    sync_yaml: str
    notes: Sequence[Note]
    faults: Sequence[Fault]
