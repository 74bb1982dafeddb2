"""Route templates such as `users/{id:guid}/{tail?}`, as ASP.NET Core writes and ranks them."""

import re
from dataclasses import dataclass
from typing import Self

# The constraints that make sense in a path; https://learn.microsoft.com/aspnet/core/fundamentals/routing
_CONSTRAINTS = {
    "": r"[^/]+",
    "alpha": r"[A-Za-z]+",
    "bool": r"(?i:true|false)",
    "guid": r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}",
    "int": r"-?\d{1,10}",
    "long": r"-?\d{1,19}",
}
_PARAMETER = re.compile(r"\{(?P<star>\*{0,2})(?P<name>\w+)(?::(?P<constraint>\w+))?(?P<optional>\?)?\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One parsed template. `shape` is equal for templates that match the same paths; lower `rank` is tried first."""

    template: str
    pattern: re.Pattern[str]
    shape: str
    rank: tuple[int, ...]

    @classmethod
    def parse(cls, template: str) -> Self:
        """Raises ValueError with a sentence about the fault."""
        pattern, shape, rank = "", [], []
        for segment in filter(None, template.split("/")):
            match = _PARAMETER.fullmatch(segment)
            if match is None:
                _refuse_braces(segment)
                pattern += "/" + re.escape(segment)
                shape.append(segment.lower())
                rank.append(0)
                continue
            expression = _expression(match)
            group = f"/(?P<{match['name']}>{expression})"
            pattern += f"(?:{group})?" if match["optional"] or match["star"] else group
            shape.append("{*}" if match["star"] else f"{{{match['constraint'] or ''}{match['optional'] or ''}}}")
            rank.append(3 if match["star"] else 2 if not match["constraint"] else 1)
        try:
            compiled = re.compile(pattern + "/?", re.IGNORECASE)
        except re.error as error:
            raise ValueError(f"a route parameter is named twice ({error})") from error
        return cls(template=template, pattern=compiled, shape="/".join(shape), rank=tuple(rank))

    def match(self, path: str) -> dict[str, str] | None:
        """The parameters that a decoded path (with its leading slash) sets; None if it does not match."""
        match = self.pattern.fullmatch(path)
        if match is None:
            return None
        return {name: value for name, value in match.groupdict().items() if value is not None}


def _expression(match: re.Match[str]) -> str:
    if match["star"]:
        return "(?s:.+)"
    constraint = match["constraint"] or ""
    if constraint not in _CONSTRAINTS:
        known = ", ".join(sorted(filter(None, _CONSTRAINTS)))
        raise ValueError(f"the local host does not know the route constraint `{constraint}` (it knows {known})")
    return _CONSTRAINTS[constraint]


def _refuse_braces(segment: str) -> None:
    if "{" in segment or "}" in segment:
        raise ValueError(f"`{segment}`: a parameter must be a whole path segment such as {{id}} or {{id:guid}}")
