"""The few shapes of database constraint this house uses, by name. Each works the same on PostgreSQL and SQLite; `name` may hold
%(app_label)s and %(class)s."""

from collections.abc import Iterable

from django.db.models import CheckConstraint, F, Q, UniqueConstraint
from django.db.models.enums import Choices


def one_of(field: str, choices: type[Choices] | Iterable[str], *, name: str) -> CheckConstraint:
    """Hold `field` to one of the values of a choices class or of a list; NULL passes."""
    values = choices.values if isinstance(choices, type) and issubclass(choices, Choices) else choices
    return CheckConstraint(condition=Q(**{f"{field}__in": list(values)}), name=name)


def set_together(*fields: str, name: str) -> CheckConstraint:
    """Hold `fields` to be all NULL or all set, such as a who and a when."""
    nothing = Q(**{f"{field}__isnull": True for field in fields})
    everything = Q(**{f"{field}__isnull": False for field in fields})
    return CheckConstraint(condition=nothing | everything, name=name)


def positive(field: str, *, name: str) -> CheckConstraint:
    """Hold `field` to more than zero."""
    return CheckConstraint(condition=Q(**{f"{field}__gt": 0}), name=name)


def not_negative(field: str, *, name: str) -> CheckConstraint:
    """Hold `field` to zero or more."""
    return CheckConstraint(condition=Q(**{f"{field}__gte": 0}), name=name)


def ends_after_start(start: str, end: str, *, name: str) -> CheckConstraint:
    """Hold the interval to end after it starts; an open end passes."""
    return CheckConstraint(condition=Q(**{f"{end}__isnull": True}) | Q(**{f"{end}__gt": F(start)}), name=name)


def only_one_open(*fields: str, until: str, name: str) -> UniqueConstraint:
    """Allow one row per `fields` whose interval has no end yet."""
    return UniqueConstraint(fields=list(fields), condition=Q(**{f"{until}__isnull": True}), name=name)
