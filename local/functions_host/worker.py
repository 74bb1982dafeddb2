"""Microsoft's Python worker, driven in process. The one file that knows its protocol.

`azure_functions_runtime` never imports protobuf: it gets the classes of its messages, calls their constructors and
reads attributes. Plain objects suffice, so neither protobuf nor gRPC is needed. Microsoft's newer transports drive it
in the same way, but the interface is undocumented: pyproject.toml pins the version.
"""

import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime

from local.functions_host.faults import AppRefusedError
from local.functions_host.model import Function, parse_binding


class _Message:
    """Any message of FunctionRpc.proto: named fields."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


class TypedData(_Message):
    """A value on its way into or out of the worker; one field (`string`, `bytes`, `json`, `http`..) is set."""

    def WhichOneof(self, _group: str) -> str | None:  # noqa: N802 (protobuf's name)
        return next(iter(self.__dict__), None)

    @property
    def value(self) -> Any:
        """The field that is set."""
        return next(iter(self.__dict__.values()), None)


class _ParameterBinding(_Message):
    def WhichOneof(self, _group: str) -> str:  # noqa: N802 (protobuf's name)
        return "data"


class _SameSite:
    Lax, Strict, ExplicitNone = "Lax", "Strict", "None"


setattr(_SameSite, "None", "")  # the worker uses that name, which is not an identifier

_PLAIN = (
    "RpcHttp",
    "RpcException",
    "WorkerMetadata",
    "RpcRetryOptions",
    "RpcFunctionMetadata",
    "WorkerInitResponse",
    "FunctionMetadataResponse",
    "FunctionLoadResponse",
    "InvocationResponse",
    "NullableString",
    "NullableBool",
    "NullableDouble",
    "NullableTimestamp",
    "Timestamp",
)

_PROTOS = SimpleNamespace(
    TypedData=TypedData,
    ParameterBinding=_ParameterBinding,
    StatusResult=type("StatusResult", (_Message,), {"Failure": 0, "Success": 1, "Cancelled": 2}),
    BindingInfo=type(
        "BindingInfo",
        (_Message,),
        {"in": 0, "out": 1, "inout": 2, "undefined": 0, "string": 1, "binary": 2, "stream": 3},
    ),
    RpcHttpCookie=type("RpcHttpCookie", (_Message,), {"SameSite": _SameSite}),
    **{name: type(name, (_Message,), {}) for name in _PLAIN},
)


class FunctionFailedError(Exception):
    """The application's code raised. `kind` is the exception's class name; `trace` may hold personal data."""

    def __init__(self, kind: str, trace: str) -> None:
        self.kind = kind
        self.trace = trace
        super().__init__(kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The result of a successful invocation: the return value and the output bindings that were set."""

    returned: TypedData | None
    outputs: Mapping[str, TypedData]


class Worker:
    """The worker of this process. Its registry is a module global: one process, one application."""

    async def start(self, app: Path) -> list[Function]:
        """Import function_app.py and index it. Raises AppRefusedError with the worker's own words."""
        # On Azure the transport does this, not the worker.
        sys.path.insert(0, str(app))
        azure_functions_runtime.start_threadpool_executor()
        started = await _send(
            "worker_init_request", capabilities={}, function_app_directory=str(app), host_version="4.0.0.0"
        )
        if started.result.status != _PROTOS.StatusResult.Success:
            raise AppRefusedError([f"function_app.py: {started.result.exception.message}"])
        indexed = await _send("functions_metadata_request", function_app_directory=str(app))
        functions = []
        for metadata in indexed.function_metadata_results or ():
            await _send("function_load_request", function_id=metadata.function_id, metadata=metadata)
            functions.append(_function(metadata))
        return functions

    async def invoke(
        self,
        function: Function,
        *,
        invocation_id: str,
        inputs: Mapping[str, TypedData],
        trigger_metadata: Mapping[str, TypedData],
    ) -> Result:
        """Run one function. Raises FunctionFailedError."""
        response = await _send(
            "invocation_request",
            invocation_id=invocation_id,
            function_id=function.id,
            input_data=[_ParameterBinding(name=name, data=data) for name, data in inputs.items()],
            trigger_metadata=dict(trigger_metadata),
            trace_context=SimpleNamespace(trace_parent=_trace_parent(), trace_state="", attributes={}),
            retry_context=SimpleNamespace(retry_count=0, max_retry_count=0, exception=None),
        )
        if response.result.status != _PROTOS.StatusResult.Success:
            error = response.result.exception
            raise FunctionFailedError(error.message.partition(":")[0], error.stack_trace)
        outputs = {binding.name: binding.data for binding in response.output_data if binding.data is not None}
        if response.return_value is not None and any(binding.name == "$return" for binding in function.outputs):
            outputs["$return"] = response.return_value
        return Result(returned=response.return_value, outputs=outputs)

    def stop(self) -> None:
        """End the threads of synchronous functions; wait for those that still run."""
        azure_functions_runtime.stop_threadpool_executor()


async def _send(message: str, **fields: Any) -> Any:
    handler = getattr(azure_functions_runtime, message)
    return await handler(
        SimpleNamespace(
            name=message,
            request=SimpleNamespace(**{message: SimpleNamespace(**fields)}),
            properties={"protos": _PROTOS, "host": "127.0.0.1"},
        )
    )


def _function(metadata: Any) -> Function:
    return Function(
        id=metadata.function_id,
        name=metadata.name,
        bindings=tuple(parse_binding(raw) for raw in metadata.raw_bindings),
        has_retry_policy=metadata.retry_options is not None,
    )


def _trace_parent() -> str:
    """A fresh W3C trace context: version, trace, span, not sampled."""
    return f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-00"
