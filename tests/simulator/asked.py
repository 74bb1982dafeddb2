"""The scope of a sync: by groups of the source tenant, and by an attribute."""

from __future__ import annotations

from dataclasses import dataclass

# Groups of the source tenant: two whose members are in, or out, and two that may come to be nested in them.
STAFF = "dddddddd-0000-0000-0000-000000000001"
SALES = "dddddddd-0000-0000-0000-000000000002"
TEAM = "dddddddd-0000-0000-0000-000000000003"
CLUB = "dddddddd-0000-0000-0000-000000000004"
OUTER, INNER = (STAFF, SALES), (TEAM, CLUB)
GROUPS = (*OUTER, *INNER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The scope: members of one of the `wanted` groups (none: everybody), except members of the `barred`.

    And of these the people of some cities (none: of every city, and those without one).
    """

    wanted: tuple[str, ...] = ()
    barred: tuple[str, ...] = ()
    assigned: bool = False  # the wanted ones, instead of being asked for by a filter
    cities: tuple[str, ...] = ()

    @property
    def scope(self) -> str:
        """As sync.yaml has it."""
        clauses = []
        if self.wanted and not self.assigned:
            clauses.append(f"{{ attribute: memberOf, operator: IN, value: [{', '.join(self.wanted)}] }}")
        if self.barred:
            clauses.append(f"{{ attribute: memberOf, operator: NOT IN, value: [{', '.join(self.barred)}] }}")
        if self.cities:
            clauses.append(f"{{ attribute: city, operator: IN, value: [{', '.join(self.cities)}] }}")
        keys = [f"users: assigned, groups: [{', '.join(self.wanted)}]" if self.assigned else "users: all"]
        if clauses:
            keys.append(f"filters: [{{ name: Asked, clauses: [{', '.join(clauses)}] }}]")
        return f"{{ {', '.join(keys)} }}"


IN_GROUPS = (
    Asked(wanted=OUTER, assigned=True),
    Asked(wanted=OUTER, assigned=True, barred=(CLUB,)),
    Asked(wanted=OUTER, barred=(CLUB,)),
    Asked(barred=OUTER),
)
