"""The users of a target tenant in memory: some 400 bytes for each, whatever a listing says of them besides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from ...model import Marker, TargetUser
from ...ports import Contact, Resident

_EXTERNAL, _ENABLED, _PENDING, _SEEN = 1, 2, 4, 8


class Addresses:
    """The numbers of those who bear an address. Of an address only a digest of 64 bits is kept, of this process."""

    def __init__(self) -> None:
        self._bearers: dict[int, int | tuple[int, ...]] = {}

    def add(self, number: int, addresses: Iterable[str]) -> None:
        for digest in {hash(each) for each in addresses}:
            known = self._bearers.get(digest, ())
            self._bearers[digest] = (known, number) if isinstance(known, int) else (*known, number) if known else number

    def bearing(self, address: str) -> tuple[int, ...]:
        """`address` in lower case."""
        found = self._bearers.get(hash(address), ())
        return (found,) if isinstance(found, int) else found


class Residents:
    """`claims` are the owners of target users by the links there are. Names and mail are kept of external users."""

    def __init__(self, claims: Mapping[str, str]) -> None:
        self._claims = claims
        self._ids: list[str] = []
        self._texts: list[tuple[str, str] | None] = []  # display name and mail
        self._flags = bytearray()
        self._addresses = Addresses()
        self._markers: dict[int, Mapping[str, str]] = {}
        self._marked: dict[tuple[str, str], list[int]] = {}
        self.guests = 0

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, resident: Resident) -> None:
        user, number = resident.user, len(self._ids)
        self._ids.append(user.id)
        self._texts.append((user.display_name, user.mail) if user.external else None)
        self._flags.append(_EXTERNAL * user.external | _ENABLED * user.enabled | _PENDING * resident.pending)
        self._addresses.add(number, resident.addresses)
        self.guests += user.external
        if resident.markers:
            self._markers[number] = resident.markers
            for name, text in resident.markers.items():
                self._marked.setdefault((name, text.lower()), []).append(number)

    def candidates(self, address: str | None, marker: Marker | None, owner: str) -> dict[int, TargetUser]:
        """As TargetDirectory.candidates, each with the link besides `owner` that claims the user; by number."""
        numbers = list(self._addresses.bearing(address.lower())) if address else []
        if marker is not None:
            numbers += self._marked.get((marker.attribute, marker.text.lower()), [])
        return {number: self._user(number, marker, owner) for number in numbers}

    def is_pending(self, number: int) -> bool:
        return bool(self._flags[number] & _PENDING)

    def see(self, addresses: Iterable[str]) -> None:
        """Somebody of a source has these addresses."""
        for address in addresses:
            for number in self._addresses.bearing(address):
                self._flags[number] |= _SEEN

    def unseen_guests(self) -> Iterator[TargetUser]:
        """External users without link and marker, none of whose addresses anybody of the sources was seen to have."""
        for number, flags in enumerate(self._flags):
            if flags & _EXTERNAL and not flags & _SEEN and number not in self._markers:
                user = self._user(number, None, "")
                if user.linked_to is None:
                    yield user

    def _user(self, number: int, marker: Marker | None, owner: str) -> TargetUser:
        flags, (name, mail) = self._flags[number], self._texts[number] or ("", "")
        claim = self._claims.get(self._ids[number])
        return TargetUser(
            id=self._ids[number],
            external=bool(flags & _EXTERNAL),
            enabled=bool(flags & _ENABLED),
            display_name=name,
            mail=mail,
            marker=self._markers.get(number, {}).get(marker.attribute) if marker else None,
            linked_to=None if claim == owner else claim,
        )


class Others:
    """Objects of the target that are no users of it by now, by address: contacts, and soft-deleted users."""

    def __init__(self) -> None:
        self._found: list[TargetUser] = []
        self._addresses = Addresses()

    def add(self, other: Contact | Resident) -> None:
        user = TargetUser(id=other.id, external=False) if isinstance(other, Contact) else other.user
        self._addresses.add(len(self._found), other.addresses)
        self._found.append(replace(user, linked_to=None))

    def bearing(self, address: str) -> list[TargetUser]:
        return [self._found[number] for number in self._addresses.bearing(address.lower())]
