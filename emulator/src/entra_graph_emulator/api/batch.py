"""`POST /$batch`: https://learn.microsoft.com/graph/json-batching

Each item is answered, and throttled, like a request of its own: a batch saves round trips, not quota.
"""

import base64
import json
from typing import Any, Final

from entra_graph_emulator.calls.call import Call
from entra_graph_emulator.wire.errors import GraphError
from entra_graph_emulator.wire.messages import Request, Response, json_response

_MOST: Final = 20


async def batch(call: Call) -> Response:
    call.allow()
    items = call.body().get("requests")
    if not isinstance(items, list) or not 0 < len(items) <= _MOST:
        raise _malformed(f"The batch must contain between 1 and {_MOST} requests.")
    answers: dict[str, dict[str, Any]] = {}  # ids are not case-sensitive
    for item in items:
        name, request = _parse(call, item)
        key = name.lower()
        if key in answers:
            raise _malformed(f"The request id '{name}' is used more than once.")
        if any(
            answers.get(str(each).lower(), {"status": 424})["status"] >= 400 for each in item.get("dependsOn") or ()
        ):
            answers[key] = {"id": name, "status": 424, "body": {"error": {"code": "FailedDependency", "message": ""}}}
            continue
        answers[key] = _item(name, await call.service.handle(request))
    return json_response(200, {"responses": list(answers.values())})


def _parse(call: Call, item: Any) -> tuple[str, Request]:
    if not isinstance(item, dict) or not all(isinstance(item.get(each), str) for each in ("id", "method", "url")):
        raise _malformed("Every request needs an id, a method and a url.")
    sent, depends = item.get("headers") or {}, item.get("dependsOn") or []
    if not isinstance(sent, dict) or not isinstance(depends, list):
        raise _malformed("headers must be an object and dependsOn a list.")
    headers = {str(name).lower(): str(value) for name, value in sent.items()}
    if item.get("body") is not None and "content-type" not in headers:
        raise _malformed("A request with a body needs a Content-Type header.")
    if "$batch" in item["url"] or not item["url"].startswith("/"):
        raise _malformed("The url of a request must be relative, and begin with a slash.")
    request = Request.of(
        item["method"],
        f"/v1.0{item['url']}",
        headers=headers | {"authorization": call.request.headers["authorization"]},
        body=b"" if item.get("body") is None else json.dumps(item["body"]).encode(),
        origin=call.origin,
    )
    return item["id"], request


def _item(name: str, answer: Response) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": name, "status": answer.status, "headers": dict(answer.headers)}
    if answer.body:
        try:
            shown["body"] = json.loads(answer.body)
        except ValueError:  # a body that is no JSON is sent in base64
            shown["body"] = base64.b64encode(answer.body).decode()
    return shown


def _malformed(message: str) -> GraphError:
    return GraphError(400, "BadRequest", f"Invalid batch payload format. {message}")
