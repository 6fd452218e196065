"""What can be decided about one case: for whom each step is, what it asks, what it does in sentences, and the verb that does it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partners.admin.tier_case_facts import Read, last_day
from partners.admin.tier_effects import Effects, of_customers
from partners.admin.tier_forms import GRANT, AnswerForm, CarryOutForm, KeepForm, WaiveForm
from partners.choices import ReviewOutcome, ReviewState
from partners.models import TierReview
from partners.tier_reviews import appeals, cases, decisions, grace
from prm.lib.periods import end_of_day_after
from tiers.qualify.scheme import AUTOMATIC

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    from prm.accounts.models import User

Given = Mapping[str, Any]
_OPEN_UNHEARD = (ReviewState.PROPOSED, ReviewState.IN_GRACE, ReviewState.DECIDED)


@dataclass(frozen=True)
class Step:
    """One decision. `does` gets the case, what was typed in, who decides and when; `says` yields its consequences."""

    key: str
    title: StrOrPromise
    verb: StrOrPromise
    done: StrOrPromise
    is_for: Callable[[TierReview, datetime], bool]
    does: Callable[[TierReview, Any, Given, User, datetime], object]
    says: Callable[[Read, datetime], Iterator[str]]
    form: type[forms.Form] | None = None
    is_grave: bool = False


def _is_fall(case: TierReview) -> bool:
    return case.outcome == ReviewOutcome.DOWN


def _can_be_carried_out(case: TierReview, at: datetime) -> bool:
    if not _is_fall(case):
        return case.state == ReviewState.PROPOSED
    over = cases.over_at(case)
    return case.state == ReviewState.IN_GRACE and over is not None and over <= at


def _notify(case: TierReview, _form: Any, _given: Given, by: User, at: datetime) -> object:
    return decisions.notify(case, by=by, at=at)


def _carry_out(case: TierReview, form: Any, given: Given, by: User, at: datetime) -> object:
    starts = form.effective_at(now=at)
    return decisions.decide(case, by=by, at=at, note=given.get("note", ""), effective_at=starts)


def _keep(case: TierReview, _form: Any, given: Given, by: User, at: datetime) -> object:
    return decisions.keep(case, by=by, at=at, note=given["note"])


def _waive(case: TierReview, _form: Any, given: Given, by: User, at: datetime) -> object:
    return decisions.waive(case, until=given["until"], reason=given["reason"], by=by, at=at)


def _answer(case: TierReview, _form: Any, given: Given, by: User, at: datetime) -> object:
    granted = given["verdict"] == GRANT
    return appeals.answer_appeal(case.appeal, granted=granted, answer=given["answer"], by=by, at=at)


def _look(case: TierReview, _form: Any, _given: Given, by: User, at: datetime) -> object:
    return grace.look_again_now(case, by=by, at=at)


def _says_notice(found: Read, at: datetime) -> Iterator[str]:
    process, program = found.scheme.process, found.program
    ends = end_of_day_after(at, process.grace_days, program.zone)
    appeal = end_of_day_after(at, process.appeal_days, program.zone)
    told = {"tier": found.case.from_tier.name, "date": last_day(ends, program)}
    yield (
        _("The partner reads what is missing, and keeps %(tier)s until the end of %(date)s at least.") % told
    )
    yield _("It can appeal until the end of %(date)s; an appeal holds everything up.") % {
        "date": last_day(appeal, program)
    }
    yield _("Whoever reaches %(tier)s again before then keeps it, without anybody deciding.") % told
    if process.down == AUTOMATIC:
        yield _("When the grace period is over, the fall takes effect by itself.")
    else:
        yield _("When the grace period is over, a person decides.")


def _says_carry_out(found: Read, at: datetime) -> Iterator[str]:
    case, program = found.case, found.program
    told = {"partner": case.membership.partner.name, "tier": case.to_tier.name}
    yield _("%(partner)s stands in %(tier)s from then on, not before.") % told
    yield from Effects(program, at=at).of(case.membership, case.from_tier, case.to_tier)
    if _is_fall(case):
        kept = decisions.grandfathering(found.scheme.process, program.zone, at=at)
        keeps, until = bool(kept), kept.get("customers_keep_ends_at")
        yield of_customers(keeps, until, case.from_tier, program)
        yield _("The figures are looked at once more: who reaches the tier again keeps it.")
    yield _("The change, its reason and your name stay on record.")


def _says_keep(found: Read, _at: datetime) -> Iterator[str]:
    told = {"partner": found.case.membership.partner.name, "tier": found.case.from_tier.name}
    yield _("%(partner)s stays in %(tier)s, and this case is closed.") % told
    yield _("The next review looks at the figures of its own day.")


def _says_waive(found: Read, _at: datetime) -> Iterator[str]:
    told = {"partner": found.case.membership.partner.name, "tier": found.case.from_tier.name}
    yield _("%(partner)s keeps %(tier)s until the day is over, whatever the figures say.") % told
    yield _("Reviews go on until then, for information only.")
    yield _("Then the figures are looked at again: a fall begins with a notice and a new grace period.")


def _says_answer(found: Read, at: datetime) -> Iterator[str]:
    case, program = found.case, found.program
    least = end_of_day_after(at, appeals.DAYS_AFTER_REFUSAL, program.zone)
    ends = max(case.grace_ends_at or least, least)
    yield _("Granted: the partner keeps %(tier)s, and this case is closed.") % {"tier": case.from_tier.name}
    yield _("Refused: the grace period goes on until the end of %(date)s.") % {
        "date": last_day(ends, program)
    }
    yield _("An appeal is heard once: the answer cannot be changed.")


def _says_look(found: Read, _at: datetime) -> Iterator[str]:
    yield _("The figures are measured as of now, by the version the review was held by.")
    if found.case.state == ReviewState.IN_GRACE:
        tier = {"tier": found.case.from_tier.name}
        yield _("When they reach %(tier)s again, the tier is kept and the partner is told.") % tier
    yield _("What the review itself found stays as it is.")


STEPS = (
    Step(
        "answer",
        gettext_lazy("Answer the appeal of %(partner)s"),
        gettext_lazy("Send the answer"),
        gettext_lazy("The appeal of %(partner)s is answered."),
        lambda case, at: case.state == ReviewState.APPEALED,
        _answer,
        _says_answer,
        AnswerForm,
    ),
    Step(
        "notify",
        gettext_lazy("Give notice to %(partner)s"),
        gettext_lazy("Send the notice"),
        gettext_lazy("%(partner)s is told, and the grace period runs."),
        lambda case, at: case.state == ReviewState.PROPOSED and _is_fall(case),
        _notify,
        _says_notice,
    ),
    Step(
        "carry-out",
        gettext_lazy("Change the tier of %(partner)s"),
        gettext_lazy("Change the tier"),
        gettext_lazy("The case of %(partner)s is decided."),
        _can_be_carried_out,
        _carry_out,
        _says_carry_out,
        CarryOutForm,
        is_grave=True,
    ),
    Step(
        "keep",
        gettext_lazy("Let %(partner)s stay where it is"),
        gettext_lazy("Keep the tier"),
        gettext_lazy("%(partner)s keeps its tier."),
        lambda case, at: case.state in _OPEN_UNHEARD,
        _keep,
        _says_keep,
        KeepForm,
    ),
    Step(
        "waive",
        gettext_lazy("Waive what %(partner)s misses"),
        gettext_lazy("Waive until that day"),
        gettext_lazy("%(partner)s keeps its tier until that day."),
        lambda case, at: case.state in _OPEN_UNHEARD and _is_fall(case),
        _waive,
        _says_waive,
        WaiveForm,
    ),
    Step(
        "look-again",
        gettext_lazy("Look at the figures of %(partner)s again"),
        gettext_lazy("Look again now"),
        gettext_lazy("The figures of %(partner)s are those of this moment."),
        lambda case, at: case.state in (ReviewState.IN_GRACE, ReviewState.APPEALED),
        _look,
        _says_look,
    ),
)


def steps_for(case: TierReview, *, at: datetime) -> list[Step]:
    """Return what can be decided about a case now, what it waits for first."""
    return [step for step in STEPS if step.is_for(case, at)]
