"""Graph's error bodies, word for word if they are known.

Shapes and texts: https://learn.microsoft.com/graph/errors and
https://learn.microsoft.com/graph/resolve-auth-errors. Texts that no page gives were seen in public issues.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from entra_graph_emulator.wire.messages import Response, json_response


class GraphError(Exception):
    """An answer of 400 or above. `inner` is merged into `innerError`, `headers` into the response's."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        inner: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = tuple(details)
        self.headers = dict(headers or {})
        self.inner = dict(inner or {})

    def response(self, *, at: datetime, request_id: str, client_request_id: str) -> Response:
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.details:
            error["details"] = list(self.details)
        error["innerError"] = {
            **self.inner,
            "date": at.strftime("%Y-%m-%dT%H:%M:%S"),
            "request-id": request_id,
            "client-request-id": client_request_id,
        }
        return json_response(self.status, {"error": error}, **self.headers)


def bad_request(message: str, *, details: Sequence[Mapping[str, str]] = ()) -> GraphError:
    return GraphError(400, "Request_BadRequest", message, details=details)


def unsupported_query(message: str = "Unsupported Query.") -> GraphError:
    return GraphError(400, "Request_UnsupportedQuery", message)


def invalid_value(name: str, resource: str = "User") -> GraphError:
    return bad_request(f"Invalid value specified for property '{name}' of resource '{resource}'.")


def value_required(name: str, resource: str = "User") -> GraphError:
    return bad_request(f"A value is required for property '{name}' of resource '{resource}'.")


def conflict(name: str, other: str, resource: str = "User") -> GraphError:
    """The error has two details, as Graph sends them; the second names the other object."""
    text = f"Another object with the same value for property {name} already exists."
    return bad_request(
        text,
        details=(
            {"code": "ObjectConflict", "message": text, "target": name},
            {"code": "ConflictingObjects", "message": text, "target": f"{resource}_{other}"},
        ),
    )


def not_found(object_id: str) -> GraphError:
    return GraphError(
        404,
        "Request_ResourceNotFound",
        f"Resource '{object_id}' does not exist or one of its queried reference-property objects are not present.",
    )


def not_replicated() -> GraphError:
    """The error of a write to a new object that not every replica has yet."""
    return GraphError(404, "Directory_ObjectNotFound", "Unable to read the company information from the directory.")


def denied() -> GraphError:
    return GraphError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def unauthenticated(message: str) -> GraphError:
    return GraphError(401, "InvalidAuthenticationToken", message, headers={"WWW-Authenticate": "Bearer"})


def unknown_segment(segment: str) -> GraphError:
    return GraphError(400, "BadRequest", f"Resource not found for the segment '{segment}'.")


def unknown_property(name: str, type_name: str) -> GraphError:
    """The error of an unknown name in `$select` or `$expand`."""
    return GraphError(
        400,
        "BadRequest",
        f"Parsing OData Select and Expand failed: Could not find a property named '{name}' on type '{type_name}'.",
    )


def throttled(*, headers: Mapping[str, str]) -> GraphError:
    """https://learn.microsoft.com/graph/throttling, sample response."""
    return GraphError(
        429,
        "TooManyRequests",
        "Please retry again later.",
        headers=headers,
        inner={"code": "429", "message": "Please retry after", "status": "429"},
    )
