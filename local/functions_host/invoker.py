"""One invocation from trigger data to flushed outputs: the same for every kind of trigger."""

import asyncio
import logging
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from local.functions_host.inputs import TableInputs
from local.functions_host.model import Function
from local.functions_host.outputs import QueueOutputs
from local.functions_host.telemetry import Telemetry, running
from local.functions_host.worker import FunctionFailedError, Result, TypedData, Worker

_log = logging.getLogger(__name__)


class InvocationFailedError(Exception):
    """The invocation failed and was logged. The trigger decides what happens to its message or caller."""


class FunctionTimeoutError(Exception):
    """functionTimeout of host.json was over."""


class Invoker:
    """Reads inputs, calls the worker under functionTimeout, flushes outputs, and logs failures with their stack.

    `timed_out` is called when functionTimeout was over: the worker has to be restarted.
    """

    def __init__(
        self,
        worker: Worker,
        inputs: TableInputs,
        outputs: QueueOutputs,
        *,
        time_limit: timedelta | None,
        telemetry: Telemetry,
        timed_out: Callable[[], None],
    ) -> None:
        self._worker = worker
        self._inputs = inputs
        self._outputs = outputs
        self._time_limit_s = time_limit.total_seconds() if time_limit else None
        self._telemetry = telemetry
        self._timed_out = timed_out

    async def invoke(
        self,
        function: Function,
        trigger: TypedData,
        *,
        metadata: Mapping[str, TypedData] | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> TypedData | None:
        """The return value. `parameters` fill `{name}` in input bindings. Raises InvocationFailedError."""
        invocation_id = str(uuid.uuid4())
        _log.info("executing function=%s invocation=%s", function.name, invocation_id)
        began = self._telemetry.now()
        try:
            with running(function.name, invocation_id):
                inputs = {b.name: await self._inputs.read(b, parameters or {}) for b in function.inputs}
                given = {function.trigger.name: trigger} | inputs
                result = await self._run(function, invocation_id, given, metadata or {})
                await self._outputs.flush(function, result.outputs)
        except Exception as error:
            _log_failure(function, invocation_id, error)
            self._over(function, began, failed=True)
            raise InvocationFailedError from error
        _log.info("executed function=%s invocation=%s", function.name, invocation_id)
        self._over(function, began, answer=result.returned)
        return result.returned

    def _over(
        self, function: Function, began: datetime, *, answer: TypedData | None = None, failed: bool = False
    ) -> None:
        status: int | None = None
        if function.trigger.kind == "httpTrigger":
            is_response = answer is not None and answer.WhichOneof("data") == "http"
            status = 500 if failed else int(answer.value.status_code) if answer and is_response else 200
        self._telemetry.request(function.name, began=began, status=status, failed=failed)

    async def _run(
        self,
        function: Function,
        invocation_id: str,
        inputs: Mapping[str, TypedData],
        metadata: Mapping[str, TypedData],
    ) -> Result:
        try:
            async with asyncio.timeout(self._time_limit_s) as limit:
                return await self._worker.invoke(
                    function, invocation_id=invocation_id, inputs=inputs, trigger_metadata=metadata
                )
        except TimeoutError as error:
            if not limit.expired():
                raise
            # A function that does not return cannot be stopped: only a new worker is rid of it.
            self._timed_out()
            raise FunctionTimeoutError from error


def _log_failure(function: Function, invocation_id: str, error: Exception) -> None:
    """The real host logs an exception with its message and stack, so none may have personal data in it."""
    failed = "failed function=%s invocation=%s error=%s"
    match error:
        case FunctionFailedError():
            _log.error(f"{failed}\n%s", function.name, invocation_id, error.kind, error.trace)
        case FunctionTimeoutError():
            _log.error(failed, function.name, invocation_id, "FunctionTimeout")
        case _:
            _log.error(failed, function.name, invocation_id, type(error).__name__, exc_info=error)
