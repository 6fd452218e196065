"""Say how far memberships are with the steps of their program. Steps the product can see are read by whoever keeps the facts; the number of
queries does not grow with the memberships looked at."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from partners.choices import OnboardingKind
from partners.models import Membership, OnboardingMark, OnboardingStep
from prm.lib.texts import in_language as in_language

DEFAULTS = (
    OnboardingKind.TERMS,
    OnboardingKind.PROFILE,
    OnboardingKind.BANK,
    OnboardingKind.TAX,
    OnboardingKind.FIRST_LINK,
)


@dataclass(frozen=True)
class Progress:
    """Whether a step is done, since when if that is known, and what is still missing in a sentence."""

    done: bool
    done_at: datetime | None = None
    words: str | Promise = ""


@dataclass(frozen=True)
class StepState:
    """One step of one membership's checklist, as pages show it. `link` is empty where nothing leads there."""

    step: OnboardingStep
    title: str
    done: bool
    done_at: datetime | None
    words: str
    link: str
    by_hand: bool

    @property
    def is_needed(self) -> bool:
        return self.step.is_required


Reader = Callable[[Sequence[Membership], datetime], Mapping[int, Progress]]
_readers: dict[str, Reader] = {}
_WHERE = {
    OnboardingKind.TERMS: "portal:terms",
    OnboardingKind.PROFILE: "portal:profile_change",
    OnboardingKind.BANK: "portal:payment_details",
    OnboardingKind.TAX: "portal:tax",
    OnboardingKind.FIRST_LINK: "portal:links",
    OnboardingKind.TEAM: "portal:team",
}
_NOTHING_KNOWN = Progress(done=False)


def learn_step(kind: str, reader: Reader) -> None:
    """Let whoever keeps the facts say how far memberships are with a kind of step: for many memberships at once, by their key."""
    _readers[kind] = reader


def state_of(membership: Membership, at: datetime) -> list[StepState]:
    """Return the steps of one membership in order."""
    return states_of([membership], at=at)[membership.pk]


def states_of(memberships: Iterable[Membership], *, at: datetime) -> dict[int, list[StepState]]:
    """Return the steps of many memberships, by membership."""
    wanted = list(memberships)
    steps = steps_of({each.program_id for each in wanted})
    kinds = {step.kind for each in steps.values() for step in each}
    progress = {kind: _readers[kind](wanted, at) for kind in sorted(kinds) if kind in _readers}
    marks = _marks(wanted) if kinds.intersection(OnboardingKind.by_hand()) else {}
    return {
        each.pk: [_state(step, each, progress, marks) for step in steps[each.program_id]] for each in wanted
    }


def steps_of(program_ids: Collection[int]) -> dict[int, list[OnboardingStep]]:
    """Return the steps of programs in order; a program nobody has made a list for has the usual one, unsaved."""
    found: dict[int, list[OnboardingStep]] = {pk: [] for pk in program_ids}
    known = set()
    rows = OnboardingStep.objects.filter(program__in=list(program_ids)).order_by("position", "pk")
    for step in rows:
        known.add(step.program_id)
        if step.removed_at is None:
            found[step.program_id].append(step)
    for pk in found:
        if pk not in known:
            found[pk] = usual_steps(pk)
    return found


def usual_steps(program_id: int) -> list[OnboardingStep]:
    """Return the steps a program has until somebody makes a list of its own; they are not saved."""
    return [
        OnboardingStep(program_id=program_id, kind=kind, position=place)
        for place, kind in enumerate(DEFAULTS, start=1)
    ]


def is_complete(states: Iterable[StepState]) -> bool:
    """Say whether every step that is needed is done."""
    return all(state.done for state in states if state.is_needed)


def _marks(memberships: Sequence[Membership]) -> dict[tuple[int, int], OnboardingMark]:
    rows = OnboardingMark.objects.filter(membership__in=[each.pk for each in memberships])
    return {(row.membership_id, row.step_id): row for row in rows}


def _state(
    step: OnboardingStep,
    membership: Membership,
    progress: Mapping[str, Mapping[int, Progress]],
    marks: Mapping[tuple[int, int], OnboardingMark],
) -> StepState:
    by_hand = step.kind in OnboardingKind.by_hand()
    if by_hand:
        mark = marks.get((membership.pk, step.pk))
        how = Progress(mark is not None, mark.done_at if mark else None, in_language(step.help_text))
    else:
        how = progress.get(step.kind, {}).get(membership.pk, _NOTHING_KNOWN)
    title = in_language(step.title) or str(TITLES[OnboardingKind(step.kind)])
    link = step.url if by_hand else _address(OnboardingKind(step.kind))
    return StepState(step, title, how.done, how.done_at, str(how.words), link, by_hand)


def _address(kind: OnboardingKind) -> str:
    try:
        return reverse(_WHERE[kind]) if kind in _WHERE else ""
    except NoReverseMatch:
        return ""


TITLES: dict[OnboardingKind, Promise] = {
    OnboardingKind.TERMS: _("Accept the terms"),
    OnboardingKind.PROFILE: _("Complete your profile"),
    OnboardingKind.BANK: _("Say where we pay you"),
    OnboardingKind.TAX: _("Give your tax details"),
    OnboardingKind.FIRST_LINK: _("Use your first link or code"),
    OnboardingKind.TEAM: _("Invite a colleague"),
    OnboardingKind.TRAINING: _("Training"),
    OnboardingKind.CUSTOM: _("Something else"),
}
