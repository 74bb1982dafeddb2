"""One invocation from trigger data to flushed outputs: the same for every kind of trigger."""

import asyncio
import logging
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta

from local.functions_host.inputs import TableInputs
from local.functions_host.model import Function
from local.functions_host.outputs import QueueOutputs
from local.functions_host.telemetry import Telemetry, running
from local.functions_host.worker import FunctionFailedError, Result, TypedData, Worker

_log = logging.getLogger(__name__)


class InvocationFailedError(Exception):
    """The invocation failed and was logged. The trigger decides what happens to its message or caller."""


class Invoker:
    """Reads inputs, calls the worker under functionTimeout, flushes outputs, and logs failures without any content."""

    def __init__(
        self,
        worker: Worker,
        inputs: TableInputs,
        outputs: QueueOutputs,
        *,
        time_limit: timedelta | None,
        telemetry: Telemetry,
    ) -> None:
        self._worker = worker
        self._inputs = inputs
        self._outputs = outputs
        self._time_limit_s = time_limit.total_seconds() if time_limit else None
        self._telemetry = telemetry

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
        token = running.set(function.name)
        try:
            inputs = {b.name: await self._inputs.read(b, parameters or {}) for b in function.inputs}
            result = await self._run(function, invocation_id, {function.trigger.name: trigger} | inputs, metadata or {})
            await self._outputs.flush(function, result.outputs)
        except Exception as error:
            _log_failure(function, invocation_id, error)
            self._over(function, began, failed=True)
            raise InvocationFailedError from error
        finally:
            running.reset(token)
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
        # The real host restarts the worker process when the time is up, which kills its other invocations too.
        # Here a synchronous function's thread cannot be stopped: it runs on, and its result is ignored.
        async with asyncio.timeout(self._time_limit_s):
            return await self._worker.invoke(
                function, invocation_id=invocation_id, inputs=inputs, trigger_metadata=metadata
            )


def _log_failure(function: Function, invocation_id: str, error: Exception) -> None:
    match error:
        case FunctionFailedError():
            kind, trace = error.kind, error.trace
        case TimeoutError():
            kind, trace = "FunctionTimeout", ""
        case _:
            kind, trace = type(error).__name__, ""
    _log.error("failed function=%s invocation=%s error=%s", function.name, invocation_id, kind)
    if trace or not isinstance(error, TimeoutError):
        _log.debug("trace invocation=%s\n%s", invocation_id, trace, exc_info=None if trace else error)
