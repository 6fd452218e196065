"""Add, change, retire and restore the tiers of a program. A tier is never deleted, and none is taken out of use or moved to another ladder
while somebody stands in it or is to stand there; who knows of that is downstream and says so here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused
from tiers.models import Program, Tier

if TYPE_CHECKING:
    from django.utils.functional import Promise

    from prm.accounts.models import User

CAPABILITY = "manage_tiers"
FIELDS = ("name", "rank", "track", "colour", "capacity", "benefits")
# What stands in the way: somebody is in the tier, a review is about it, or it is what newcomers are promised.
STANDING, REVIEW, PROMISE = "standing", "review", "promise"


class KeyTaken(Refused):
    message = _("Another tier of this program has this key.")
    field = "key"


class RankTaken(Refused):
    message = _("Another tier of this ladder has this rank: %(tier)s.")
    field = "rank"


class InUse(Refused):
    message = _("This tier cannot be taken out of use. %(because)s")


class Held(Refused):
    message = _("Where this tier stands cannot change now. %(because)s")
    field = "rank"


class TheLastOne(Refused):
    message = _("This is the only tier of the program: partners have to stand somewhere.")


class NotInUse(Refused):
    message = _("This tier was taken out of use. Nobody can be placed in it.")
    field = "tier"


class InUseAlready(Refused):
    message = _("This tier is in use.")


@dataclass(frozen=True)
class Hindrance:
    """One reason for which a tier has to stay as it is, in a whole sentence."""

    kind: str
    text: str | Promise


Reader = Callable[[Tier, datetime], Iterable[Hindrance]]
_readers: list[Reader] = []


def learn_hindrance(reader: Reader) -> None:
    """Let whoever places partners in tiers say what is in the way of a change."""
    if reader not in _readers:
        _readers.append(reader)


def hindrances(tier: Tier, *, at: datetime) -> list[Hindrance]:
    """Return what is in the way of taking a tier out of use."""
    return [each for reader in _readers for each in reader(tier, at)]


@transaction.atomic
def add(program: Program, *, key: str, values: Mapping[str, Any], by: User, at: datetime) -> Tier:
    """Put a tier on a ladder of a program; `values` are what `FIELDS` names.

    Raises: Forbidden, KeyTaken, RankTaken.
    """
    policy.require(by, CAPABILITY)
    _lock(program)
    if Tier.objects.filter(program=program, key=key).exists():
        raise KeyTaken
    tier = Tier(program=program, key=key, **{name: values[name] for name in FIELDS if name in values})
    _refuse_rank(tier)
    tier.save()
    audit.record(by, "tier.added", tier, at=at, key=key, rank=tier.rank, track=tier.track)
    return tier


@transaction.atomic
def change(tier: Tier, *, values: Mapping[str, Any], by: User, at: datetime) -> Tier:
    """Change what `FIELDS` names of a tier. Its key stays: rules and schemes refer to it.

    Raises: Forbidden, NotInUse, RankTaken, Held.
    """
    policy.require(by, CAPABILITY)
    held = _held(tier)
    if held.retired_at is not None:
        raise NotInUse
    changed = [name for name in FIELDS if name in values and getattr(held, name) != values[name]]
    if not changed:
        return held
    for name in changed:
        setattr(held, name, values[name])
    _refuse_rank(held)
    if "track" in changed:
        _refuse(held, (STANDING, REVIEW), Held, at=at, field="track")
    if "rank" in changed:
        _refuse(held, (REVIEW,), Held, at=at)
    held.save(update_fields=changed)
    audit.record(by, "tier.changed", held, at=at, fields=sorted(changed))
    return held


@transaction.atomic
def retire(tier: Tier, *, by: User, at: datetime) -> Tier:
    """Take a tier out of use: nobody is placed in it any more, and it is offered nowhere. What was stays told.

    Raises: Forbidden, NotInUse, TheLastOne, InUse.
    """
    policy.require(by, CAPABILITY)
    held = _held(tier)
    if held.retired_at is not None:
        raise NotInUse
    if not Tier.objects.filter(program=held.program_id).in_use().exclude(pk=held.pk).exists():
        raise TheLastOne
    _refuse(held, (STANDING, REVIEW, PROMISE), InUse, at=at)
    held.retired_at, held.retired_by = at, by
    held.save(update_fields=["retired_at", "retired_by"])
    audit.record(by, "tier.retired", held, at=at, key=held.key)
    return held


@transaction.atomic
def restore(tier: Tier, *, by: User, at: datetime) -> Tier:
    """Put a tier into use again, at the rank it had. Raises: Forbidden, InUseAlready, RankTaken."""
    policy.require(by, CAPABILITY)
    held = _held(tier)
    if held.retired_at is None:
        raise InUseAlready
    held.retired_at = held.retired_by = None
    _refuse_rank(held)
    held.save(update_fields=["retired_at", "retired_by"])
    audit.record(by, "tier.restored", held, at=at, key=held.key)
    return held


def _held(tier: Tier) -> Tier:
    _lock(tier.program)
    return Tier.objects.select_for_update(of=("self",)).select_related("program").get(pk=tier.pk)


def _lock(program: Program) -> None:
    """Let one at a time change the ladders of a program."""
    Program.objects.select_for_update(no_key=True).values_list("pk").get(pk=program.pk)


def _refuse_rank(tier: Tier) -> None:
    others = Tier.objects.filter(program=tier.program_id, track=tier.track, rank=tier.rank).in_use()
    other = others.exclude(pk=tier.pk).first()
    if other is not None:
        raise RankTaken(params={"tier": other.name})


def _refuse(
    tier: Tier, kinds: tuple[str, ...], refusal: type[Refused], *, at: datetime, field: str | None = None
) -> None:
    found = [each.text for each in hindrances(tier, at=at) if each.kind in kinds]
    if found:
        because = format_lazy("{}" + " {}" * (len(found) - 1), *found)
        raise refusal(params={"because": because}, field=field)
