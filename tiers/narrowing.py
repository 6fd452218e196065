"""What a requirement can be narrowed to, and how that is called: certifications, courses, roles, countries, kinds of activity. Who keeps
them is downstream and says so here; what nobody names keeps its key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from prm.lib import country_names, l10n
from prm.lib.countries import code_of
from tiers.models import Program


@dataclass(frozen=True, slots=True)
class Value:
    """One thing to narrow to: its key, its name in the language in force, and whether it can still be chosen."""

    key: str
    name: str
    is_in_use: bool = True


Source = Callable[[Program], Iterable[Value]]
_sources: dict[str, Source] = {}
COUNTRY, MARKET = "country", "market"


def learn_values(param: str, source: Source) -> None:
    """Let whoever keeps them say which values a parameter can have in a program; one query, or none."""
    _sources[param] = source


class Names:
    """The names a program's requirements use, each list read once, and only when something asks for it."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._read: dict[str, tuple[Value, ...]] = {}

    def values(self, param: str) -> tuple[Value, ...]:
        """Return all that a parameter can be narrowed to, in the order of whoever keeps it."""
        if param not in self._read:
            source = _sources.get(param)
            self._read[param] = tuple(source(self.program)) if source else ()
        return self._read[param]

    def is_known(self, param: str) -> bool:
        """Say whether anybody tells which values there are; if not, any key may be meant."""
        return param in _sources

    def name(self, param: str, key: str) -> str:
        """Return how a value is called."""
        return next((each.name for each in self.values(param) if each.key == key), key)

    def row(self, param: str, keys: Sequence[str], locale: str) -> str:
        """Return several values in a row, any of which does: Sales or Presales."""
        return l10n.list_text(sorted(self.name(param, key) for key in keys), locale, "or")


def _countries(_program: Program) -> list[Value]:
    """Return countries as people of partners have them: by English name."""
    return [Value(stored, own) for stored, own in country_names.choices(l10n.active_locale())]


def _markets(_program: Program) -> list[Value]:
    """Return countries as sales are compared by: by code."""
    return [Value(code_of(stored), own) for stored, own in country_names.choices(l10n.active_locale())]


_sources[COUNTRY] = _countries
_sources[MARKET] = _markets
