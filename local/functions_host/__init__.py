"""A small Azure Functions host: it runs a `function_app.py` unchanged through Microsoft's own Python worker.

For laptops and tests, where `func start` (the real host) is not installed. It imitates the behaviour that an
application can notice: of queues (polling, leases, release, poison), timers with one active instance, outputs and HTTP
requests, and the refusal of faulty applications. One process runs one application, because the worker keeps its
functions in module globals.
"""

from local.functions_host.faults import AppRefusedError
from local.functions_host.host import FunctionsHost

__all__ = ["AppRefusedError", "FunctionsHost"]
