"""The port of Graph's subscriptions, over the twin and over the adapter alike."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sync_core.model.errors import ConflictError, GraphRefusedError
from tests.support.tenants import PUBLIC_URL, Tenants


async def test_a_subscriptions_life(tenants: Tenants) -> None:
    """Created once per resource, listed, renewed in place, deleted; one that Graph forgot says so."""
    api = tenants.subscriptions
    expires = tenants.now() + timedelta(days=20)
    made = await api.create(resource="users", client_state="secret", expires_at=expires)
    assert (made.resource, made.expires_at) == ("users", expires)
    assert made.notification_url == api.notification_url == f"{PUBLIC_URL}/api/graph/notifications"
    assert await api.list() == [made]
    with pytest.raises(ConflictError):
        await api.create(resource="users", client_state="secret", expires_at=expires)
    later = expires + timedelta(days=5)
    renewed = await api.renew(made.id, later)
    assert renewed is not None
    assert (renewed.id, renewed.expires_at) == (made.id, later)
    groups = await api.create(resource="groups", client_state="secret", expires_at=expires)
    assert {each.id for each in await api.list()} == {made.id, groups.id}
    for _ in range(2):  # deleting again is no error
        await api.delete(made.id)
    assert await api.renew(made.id, later) is None
    assert await api.list() == [groups]


async def test_an_expired_subscription_is_forgotten(tenants: Tenants) -> None:
    """It is not listed, cannot be renewed, and does not stand in the way of a new one."""
    api = tenants.subscriptions
    old = await api.create(resource="users", client_state="s", expires_at=tenants.now() + timedelta(days=1))
    tenants.later(timedelta(days=2))
    assert await api.list() == []
    expires = tenants.now() + timedelta(days=1)
    assert await api.renew(old.id, expires) is None
    new = await api.create(resource="users", client_state="s", expires_at=expires)
    assert await api.list() == [new]


async def test_a_subscription_lives_29_days_at_most(tenants: Tenants) -> None:
    """https://learn.microsoft.com/graph/api/resources/subscription#subscription-lifetime"""
    api = tenants.subscriptions
    too_late = tenants.now() + timedelta(days=29, minutes=1)
    with pytest.raises(GraphRefusedError) as caught:
        await api.create(resource="users", client_state="s", expires_at=too_late)
    assert caught.value.status == 400
    made = await api.create(resource="users", client_state="s", expires_at=tenants.now() + timedelta(days=1))
    with pytest.raises(GraphRefusedError):
        await api.renew(made.id, too_late)
    assert await api.list() == [made]
