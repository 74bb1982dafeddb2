"""A small Azure Functions host: it runs a `function_app.py` unchanged through Microsoft's own Python worker.

For laptops and tests, where `func start` (the real host) is not installed. It imitates what an application can notice:
how queues are polled, leased, released and poisoned, when outputs are flushed, how timers keep one active instance,
which requests reach the worker and what start refuses. One process runs one application, because the worker keeps its
functions in module globals.
"""

from local.functions_host.faults import AppRefusedError
from local.functions_host.host import FunctionsHost

__all__ = ["AppRefusedError", "FunctionsHost"]
