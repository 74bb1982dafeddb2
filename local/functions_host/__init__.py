"""A small Azure Functions host: it runs a `function_app.py` unchanged through Microsoft's own Python worker.

For laptops and tests, where `func start` (the real host) is not installed. It imitates the behaviour that an
application can notice. Queues are polled, leased, released and poisoned as by the real host; timers keep one active
instance; outputs are written before success is reported; requests are passed on, and applications refused, alike. One
process runs one application, because the worker keeps its functions in module globals.
"""

from local.functions_host.faults import AppRefusedError
from local.functions_host.host import FunctionsHost

__all__ = ["AppRefusedError", "FunctionsHost"]
