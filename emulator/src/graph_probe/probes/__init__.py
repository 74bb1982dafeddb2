"""All probes, in the order in which they run."""

from graph_probe.probes.reading import READING
from graph_probe.probes.writing import WRITING

PROBES = (*READING, *WRITING)
