"""Synchronization schemas of Entra, in and out: what an administrator brings along, and takes away again. Pure.

A schema is the JSON of `GET /servicePrincipals/{id}/synchronization/jobs/{id}/schema`. `read_schema` gives a sync as
sync.yaml has it, and a note for each thing that it could not carry over as it was. `write_schema` goes back.
`normalise` says when two schemas ask for the same.
https://learn.microsoft.com/graph/api/resources/synchronization-synchronizationschema
"""

from .normal import normalise
from .notes import Note
from .read import Imported, read_schema
from .write import Exported, write_schema

__all__ = ["Exported", "Imported", "Note", "normalise", "read_schema", "write_schema"]
