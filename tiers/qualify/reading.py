"""Read a scheme from what is stored and write it back. Whatever does not make sense is refused with the place it stands at, so a scheme
that could be read can always be evaluated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from tiers.qualify import scheme as s
from tiers.qualify.metrics import METRICS

MOST_REQUIREMENTS = 20
MOST_MONTHS = 60
LARGEST = Fraction(10**15)
_LONGEST = 40


class BadScheme(ValueError):
    """A stored scheme makes no sense; `where` is the path of the fault: tiers/gold/revenue/threshold."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where}: {why}")
        self.where, self.why = where, why


def read(stored: Mapping[str, Any]) -> s.Scheme:
    """Return the scheme that is `stored`. Raises: BadScheme."""
    told = _mapping(stored, "scheme")
    calendar = _mapping(told.get("calendar", {}), "calendar")
    return s.Scheme(
        asks={
            str(key): _ask(_mapping(value, f"tiers/{key}"), f"tiers/{key}")
            for key, value in _mapping(told.get("tiers", {}), "tiers").items()
        },
        points=tuple(
            _rate(_mapping(each, f"points/{at}"), f"points/{at}")
            for at, each in enumerate(_list(told.get("points", []), "points"), start=1)
        ),
        calendar=s.Calendar(
            promotion=_cycle(calendar.get("promotion", {}), s.PROMOTION_CYCLES, "calendar/promotion"),
            demotion=_cycle(calendar.get("demotion", {}), s.DEMOTION_CYCLES, "calendar/demotion"),
        ),
        process=_process(_mapping(told.get("process", {}), "process")),
    )


def dump(scheme: s.Scheme) -> dict[str, Any]:
    """Return a scheme as it is stored; `read` gives the same one back."""
    return {
        "tiers": {
            key: {
                "combine": ask.combine,
                "needed": ask.needed,
                "requirements": [_dumped(each) for each in ask.requirements],
            }
            for key, ask in scheme.asks.items()
        },
        "points": [
            {
                "source": each.source,
                "points": str(each.points),
                "per": each.per,
                "role": each.role,
                "kind": each.kind,
                "multipliers": {country: str(value) for country, value in each.multipliers},
            }
            for each in scheme.points
        ],
        "calendar": {
            name: {"every": cycle.every, "day": cycle.day, "month": cycle.month}
            for name, cycle in (
                ("promotion", scheme.calendar.promotion),
                ("demotion", scheme.calendar.demotion),
            )
        },
        "process": {name: getattr(scheme.process, name) for name in s.Process.__slots__},
    }


def _dumped(requirement: s.Requirement) -> dict[str, Any]:
    question = requirement.question
    return {
        "key": requirement.key,
        "metric": question.metric,
        "window": question.window.kind,
        "months": question.window.months,
        "params": {name: list(values) for name, values in question.params},
        "operator": requirement.operator,
        "threshold": str(requirement.threshold),
        "weight": requirement.weight,
    }


def _ask(told: Mapping[str, Any], where: str) -> s.Ask:
    rows = _list(told.get("requirements", []), f"{where}/requirements")
    if len(rows) > MOST_REQUIREMENTS:
        raise BadScheme(where, f"more than {MOST_REQUIREMENTS} requirements")
    found = tuple(
        _requirement(_mapping(each, f"{where}/{at}"), f"{where}/{at}") for at, each in enumerate(rows, 1)
    )
    keys = [each.key for each in found]
    if len(set(keys)) != len(keys):
        raise BadScheme(where, "two requirements have the same key")
    return s.Ask(
        requirements=found,
        combine=_one_of(told.get("combine", s.ALL), s.COMBINES, f"{where}/combine"),
        needed=_whole(told.get("needed", 0), 0, 10_000, f"{where}/needed"),
    )


def _requirement(told: Mapping[str, Any], where: str) -> s.Requirement:
    metric = METRICS[_one_of(told.get("metric"), METRICS, f"{where}/metric")]
    kind = _one_of(told.get("window", s.NOW), s.WINDOWS, f"{where}/window")
    if metric.is_windowed == (kind == s.NOW):
        raise BadScheme(
            f"{where}/window", "needs a window" if metric.is_windowed else "is counted as it stands"
        )
    least = 1 if kind == s.TRAILING else 0
    months = _whole(told.get("months", 0), least, MOST_MONTHS if least else 0, f"{where}/months")
    return s.Requirement(
        key=_text(told.get("key"), f"{where}/key"),
        question=s.Question(metric.key, s.Window(kind, months), _params(told, metric.params, where)),
        operator=_one_of(told.get("operator", s.AT_LEAST), s.OPERATORS, f"{where}/operator"),
        threshold=_number(told.get("threshold"), f"{where}/threshold"),
        weight=_whole(told.get("weight", 0), 0, 1_000, f"{where}/weight"),
    )


def _params(
    told: Mapping[str, Any], allowed: Sequence[str], where: str
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    found = []
    for name, values in sorted(_mapping(told.get("params", {}), f"{where}/params").items()):
        if name not in allowed:
            raise BadScheme(f"{where}/params/{name}", "does not narrow this metric")
        texts = sorted(
            {_text(each, f"{where}/params/{name}") for each in _list(values, f"{where}/params/{name}")}
        )
        if texts:
            found.append((name, tuple(texts)))
    return tuple(found)


def _rate(told: Mapping[str, Any], where: str) -> s.PointRate:
    pairs = _mapping(told.get("multipliers", {}), f"{where}/multipliers")
    return s.PointRate(
        source=_one_of(told.get("source"), s.POINT_SOURCES, f"{where}/source"),
        points=_number(told.get("points"), f"{where}/points"),
        per=_whole(told.get("per", 1), 1, 10**12, f"{where}/per"),
        role=str(told.get("role", "")),
        kind=str(told.get("kind", "")),
        multipliers=tuple(
            (str(country), _number(value, f"{where}/multipliers/{country}"))
            for country, value in sorted(pairs.items())
        ),
    )


def _cycle(value: object, allowed: Sequence[str], where: str) -> s.Cycle:
    told = _mapping(value, where)
    return s.Cycle(
        every=_one_of(told.get("every", s.NEVER), allowed, f"{where}/every"),
        day=_whole(told.get("day", 1), 1, 28, f"{where}/day"),
        month=_whole(told.get("month", 1), 1, 12, f"{where}/month"),
    )


def _process(told: Mapping[str, Any]) -> s.Process:
    usual = s.Process()
    keep = told.get("customers_keep_months", usual.customers_keep_months)
    return s.Process(
        grace_days=_whole(told.get("grace_days", usual.grace_days), 0, 730, "process/grace_days"),
        appeal_days=_whole(told.get("appeal_days", usual.appeal_days), 1, 180, "process/appeal_days"),
        answer_days=_whole(told.get("answer_days", usual.answer_days), 1, 60, "process/answer_days"),
        up=_one_of(told.get("up", usual.up), s.DECIDERS, "process/up"),
        down=_one_of(told.get("down", usual.down), s.DECIDERS, "process/down"),
        fall=_one_of(told.get("fall", usual.fall), s.FALLS, "process/fall"),
        customers_keep_months=None if keep is None else _whole(keep, 0, 120, "process/customers_keep_months"),
        protected_days=_whole(
            told.get("protected_days", usual.protected_days), 0, 1_095, "process/protected_days"
        ),
    )


def _mapping(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise BadScheme(where, "is not an object")
    return value


def _list(value: object, where: str) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        raise BadScheme(where, "is not a list")
    return value


def _text(value: object, where: str) -> str:
    if not isinstance(value, str) or not value or len(value) > 60 or "/" in value or "+" in value:
        raise BadScheme(where, "is not a short text")
    return value


def _one_of(value: object, allowed: Mapping[str, Any] | Sequence[str], where: str) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise BadScheme(where, f"is not one of {', '.join(allowed)}")
    return value


def _whole(value: object, least: int, most: int, where: str) -> int:
    if type(value) is not int or not least <= value <= most:
        raise BadScheme(where, f"is not a whole number from {least} to {most}")
    return value


def _number(value: object, where: str) -> Fraction:
    """Read an exact number: a whole one, or text such as 12.5 or 2/3.

    Powers of ten are not taken: a few letters of them are a number that takes all memory.
    """
    if type(value) is int or (isinstance(value, str) and len(value) <= _LONGEST and "e" not in value.lower()):
        try:
            found = Fraction(value)
        except (ValueError, ZeroDivisionError):
            raise BadScheme(where, "is not a number") from None
        if abs(found) <= LARGEST and found.denominator <= 10**6:
            return found
    raise BadScheme(where, "is not a number")
