"""The commands under `/_emulator`, each with what it does: what `GET /_emulator` answers."""

from typing import Final

from entra_graph_emulator.wire.messages import JsonObject

COMMANDS: Final = (
    ("GET, POST", "/tenants", 'list with counts; create: {"id","displayName","domain","users"?,"seed"?}'),
    ("POST", "/seed", "make tenants, people, groups and policies: the YAML file of people, as JSON"),
    ("POST", "/reset", "forget everything"),
    ("GET, POST", "/clock", 'the time, and moving it on: {"advance":seconds}'),
    ("GET, PUT", "/throttle", 'quotas: {"tenant"?,"writes"?,"window_s"?,"resource_units"?,"ru_window_s"?,"enabled"?}'),
    ("GET, POST, DELETE", "/faults", 'faults: {"method"?,"path"?,"status"?,"count"?,"mode"?,"retry_after"?}'),
    ("GET, PUT", "/delivery", "how notifications are delivered; GET adds what became of them"),
    ("GET", "/requests", "the request log; ?tenant= of one tenant, ?since= after an entry, ?items=false counts only"),
    ("GET, PUT, DELETE", "/findings", 'what the strict mode noticed; PUT {"strict":true} switches it'),
    ("POST", "/tenants/{id}/users", 'more users: {"count":N,"seed"?} or {"value":[{..}]}'),
    ("POST", "/tenants/{id}/groups", 'groups: {"value":[{..,"members":["<id>"]}]}'),
    ("POST", "/tenants/{id}/extensions", 'directory extensions: {"value":["extension_<app id>_<name>"]}'),
    ("GET, PUT", "/tenants/{id}/settings", "the switches of the tenant; PUT changes those given"),
    ("GET, PUT", "/tenants/{id}/snapshot", "the tenant as one document, and back to what such a document says"),
    ("PUT", "/tenants/{id}/apps/{appId}", 'permissions of an app: {"roles":["User.Read.All"],"directoryRole"?}'),
    ("POST", "/tenants/{id}/admins", 'give or take administrator roles: {"users":["<id>"],"admin":true}'),
    ("POST", "/tenants/{id}/redeem", 'guests accept: {"users":["<id>"]}; all pending ones without it'),
    ("POST", "/tenants/{id}/convert", 'an external user becomes internal: {"user":"<id>","userPrincipalName":".."}'),
    ("POST", "/tenants/{id}/reauthorize", "send a reauthorizationRequired for every subscription"),
    ("POST", "/tenants/{id}/delta-reset", 'invalidate every delta token: {"form"?}'),
)


def index() -> JsonObject:
    """For a person with curl, and for a program."""
    commands = [{"methods": methods, "path": f"/_emulator{path}", "does": does} for methods, path, does in COMMANDS]
    return {"name": "entra-graph-emulator", "health": "/health", "graph": "/v1.0", "commands": commands}
