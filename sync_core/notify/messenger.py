"""ports.Messenger over HTTPS."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from ..model import Notice, Receiver, ReceiverKind
from ..model.errors import ConfigError, Fault, NotDeliveredError, UnavailableError
from .messages import for_teams, for_webhook, key_of, signed

_TIMEOUT = httpx.Timeout(15, connect=5)


class HttpMessenger:
    """`settings` are the app settings by name: addresses and secrets. `page` is the address of the operators' page."""

    def __init__(
        self, settings: Mapping[str, str], page: str, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._settings = settings
        self._page = page
        self._transport = transport

    async def send(self, receiver: Receiver, notice: Notice) -> None:
        """Redirects are not followed: a notice goes where the setting says.

        Raises ConfigError for a setting that is missing or wrong, besides the errors of ports.Messenger.
        """
        url = self._setting(receiver.address)
        body, headers = for_teams(notice, self._page), dict[str, str]()
        if receiver.kind is ReceiverKind.WEBHOOK:
            body = for_webhook(notice, self._page)
            key = key_of(self._setting(receiver.secret), receiver.secret)
            headers.update(signed(notice.id, int(notice.at.timestamp()), body, key))
        try:
            async with httpx.AsyncClient(transport=self._transport, timeout=_TIMEOUT) as http:
                answer = await http.post(url, content=body, headers={"content-type": "application/json", **headers})
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise NotDeliveredError(f"{receiver.address} cannot be reached: {type(error).__name__}") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UnavailableError(f"{receiver.address} did not answer: {type(error).__name__}") from error
        if answer.is_server_error:
            raise UnavailableError(f"{receiver.address} answered {answer.status_code}")
        if not answer.is_success:
            raise NotDeliveredError(f"{receiver.address} answered {answer.status_code}")

    def _setting(self, name: str) -> str:
        value = self._settings.get(name, "")
        if not value:
            raise ConfigError([Fault(where=name, message="is missing: sync.yaml has it under notify")])
        return value
