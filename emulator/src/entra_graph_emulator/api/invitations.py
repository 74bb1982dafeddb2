"""`/invitations`. https://learn.microsoft.com/graph/api/invitation-post"""

from entra_graph_emulator.calls.call import Call
from entra_graph_emulator.calls.views import context
from entra_graph_emulator.wire.messages import Response


async def invite(call: Call) -> Response:
    body = call.service.invitations.invite(call.tenant, call.caller, call.body())
    where = context(call.origin, "invitations", None, entity=True)
    return call.created(f"invitations/{body['id']}", {"@odata.context": where, **body})
