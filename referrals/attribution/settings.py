"""How a program gives credit, as frozen values without a database: which contacts count and for how long, which of them decide, and how
credit is shared. What is stored reads back to the same values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal, get_args

# Contacts that can earn: a registered deal, a code on the order, a click, a lead, an introduction, a view, and the owner of the customer.
TouchKind = Literal["deal", "code", "click", "lead", "intro", "view", "customer"]
Model = Literal["last_touch", "first_touch", "linear", "position", "time_decay", "participation"]
Customers = Literal["all", "new"]
TOUCH_KINDS: tuple[TouchKind, ...] = get_args(TouchKind)
MODELS: tuple[Model, ...] = get_args(Model)
# Kinds whose age is measured against a window; a code is on the order itself, a deal has its own last day, an owner its own end.
WINDOWED: tuple[TouchKind, ...] = ("click", "lead", "intro", "view")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LONGEST_WINDOW = 400 * DAY
DEFAULT_PRECEDENCE: tuple[tuple[TouchKind, ...], ...] = (("deal",), ("code",), ("click",))
DEFAULT_HALF_LIFE_HOURS = 7 * 24


@dataclass(frozen=True, slots=True)
class Qualifies:
    """What of all that is told counts as a referral. Empty lists mean no limit; amounts are minor units of the program's currency, before
    deductions; `attributes` are values an event has to carry by name."""

    kinds: tuple[str, ...] = ()
    least_minor: int = 0
    countries: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()
    customers: Customers = "all"


@dataclass(frozen=True, slots=True)
class Settings:
    """`precedence` are groups of kinds: the first group with a contact that qualifies takes all of the credit, and `model` shares it among
    the contacts of that group. Kinds in no group never earn. Windows are whole hours; `recurring_months` is how long the owner of a customer
    earns by kind `customer` (None: as long as it is the owner). With `assists`, who touched and got no share is credited as helping."""

    model: Model = "last_touch"
    precedence: tuple[tuple[TouchKind, ...], ...] = DEFAULT_PRECEDENCE
    window_hours: Mapping[str, int] = field(
        default_factory=lambda: {"click": 30 * 24, "lead": 90 * 24, "intro": 180 * 24, "view": 24}, hash=False
    )
    half_life_hours: int = DEFAULT_HALF_LIFE_HOURS
    recurring_months: int | None = 12
    assists: bool = False
    qualifies: Qualifies = Qualifies()

    def window(self, kind: str) -> timedelta:
        """Return how long before an event a contact of this kind may lie; more than any window for kinds that have none."""
        hours = self.window_hours.get(kind)
        return LONGEST_WINDOW if hours is None else hours * HOUR

    @property
    def kinds(self) -> frozenset[str]:
        """Return the kinds that can earn."""
        return frozenset(kind for group in self.precedence for kind in group)

    def rank(self, kind: str) -> int | None:
        """Return the place of a kind's group, 0 first; None for one that never earns."""
        for place, group in enumerate(self.precedence):
            if kind in group:
                return place
        return None


def standard(click_days: int) -> Settings:
    """Return what holds for a program that has published nothing: deal, code, last click within its cookie window."""
    return Settings(window_hours={"click": click_days * 24, "lead": 90 * 24, "intro": 180 * 24, "view": 24})


def dump(settings: Settings) -> dict[str, Any]:
    """Return settings as they are stored."""
    asks = settings.qualifies
    return {
        "model": settings.model,
        "precedence": [list(group) for group in settings.precedence],
        "window_hours": dict(sorted(settings.window_hours.items())),
        "half_life_hours": settings.half_life_hours,
        "recurring_months": settings.recurring_months,
        "assists": settings.assists,
        "qualifies": {
            "kinds": list(asks.kinds),
            "least_minor": asks.least_minor,
            "countries": list(asks.countries),
            "products": list(asks.products),
            "categories": list(asks.categories),
            "attributes": dict(asks.attributes),
            "customers": asks.customers,
        },
    }


def read(stored: Mapping[str, Any]) -> Settings:
    """Return the settings that `dump` stored.

    Raises: ValueError, KeyError, TypeError when it is something else.
    """
    asks = stored["qualifies"]
    settings = Settings(
        model=_one_of(stored["model"], MODELS),
        precedence=tuple(
            tuple(_one_of(kind, TOUCH_KINDS) for kind in group) for group in stored["precedence"]
        ),
        window_hours={str(kind): int(hours) for kind, hours in stored["window_hours"].items()},
        half_life_hours=int(stored["half_life_hours"]),
        recurring_months=None if stored["recurring_months"] is None else int(stored["recurring_months"]),
        assists=bool(stored["assists"]),
        qualifies=Qualifies(
            kinds=tuple(asks["kinds"]),
            least_minor=int(asks["least_minor"]),
            countries=tuple(asks["countries"]),
            products=tuple(asks["products"]),
            categories=tuple(asks["categories"]),
            attributes=tuple(sorted(asks["attributes"].items())),
            customers=_one_of(asks["customers"], get_args(Customers)),
        ),
    )
    _check(settings)
    return settings


def _check(settings: Settings) -> None:
    named = [kind for group in settings.precedence for kind in group]
    if not named or len(named) != len(set(named)) or not all(settings.precedence):
        raise ValueError("Each kind of contact stands in one group, and no group is empty.")
    if any(not HOUR <= hours * HOUR <= LONGEST_WINDOW for hours in settings.window_hours.values()):
        raise ValueError("A window is between one hour and 400 days.")
    if settings.half_life_hours < 1:
        raise ValueError("A half-life is at least one hour.")


def _one_of(value: Any, known: Sequence[Any]) -> Any:
    if value not in known:
        raise ValueError(f"{value!r} is none of {', '.join(map(str, known))}.")
    return value
