"""Write the mails about business plans: what is proposed and answered, what is near, and what is over. Each mailbox is written to once about
one thing, in its own language, with the targets as the pages show them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partners import mails
from partners.business_plans.progress import GoalProgress, loaded
from partners.business_plans.words import STANDS, figure_text, label_of
from partners.readers import OWNERS, Reader, readers_of
from prm.lib import l10n
from prm.mail import outbox

if TYPE_CHECKING:
    from partners.models import BusinessPlan, Checkpoint, GoalChange
    from prm.accounts.models import User

PORTAL = "/portal/plans/"
Values = Callable[[Reader], dict[str, Any]]


def day_here(day: date) -> str:
    """Write a day in the language of the page being answered."""
    return l10n.date_text(day, l10n.active_locale())


def proposed(plan: BusinessPlan) -> None:
    """Ask the owners of the team for their answer."""

    def values(reader: Reader) -> dict[str, Any]:
        return {"period": _period(plan, reader.locale), "goals": _targets(plan, reader)}

    key = f"business-plan-proposed:{plan.public_id}:{plan.proposed_at:%Y%m%d%H%M%S%f}"
    _tell(
        "business_plan_proposed",
        plan,
        _owners(plan),
        key=key,
        values=values,
        button=gettext_lazy("Read the plan"),
    )


def agreed(plan: BusinessPlan, *, by: User) -> None:
    """Pass on to who proposed it, and to who looks after the partner, that the plan is agreed."""
    _tell(
        "business_plan_agreed",
        plan,
        _house(plan),
        key=f"business-plan-agreed:{plan.public_id}",
        values=lambda reader: {
            "person": by.get_full_name(),
            "period": _period(plan, reader.locale),
            "goals": _targets(plan, reader),
        },
        button=gettext_lazy("Open the plan"),
    )


def sent_back(plan: BusinessPlan, *, text: str, by: User, at: datetime) -> None:
    """Pass on what the partner wants to be different."""
    _tell(
        "business_plan_sent_back",
        plan,
        _house(plan),
        key=f"business-plan-sent-back:{plan.public_id}:{at:%Y%m%d%H%M%S%f}",
        values=lambda reader: {"person": by.get_full_name(), "note": text},
        button=gettext_lazy("Open the outline"),
    )


def withdrawn(plan: BusinessPlan, *, because: str) -> None:
    """Say to the owners that a plan they know is given up."""
    _tell(
        "business_plan_withdrawn",
        plan,
        _owners(plan),
        key=f"business-plan-withdrawn:{plan.public_id}",
        values=lambda reader: {"note": because},
        button=gettext_lazy("Open the plan"),
    )


def checkpoint_near(checkpoint: Checkpoint) -> None:
    """Remind both sides of a checkpoint that comes."""
    plan = checkpoint.plan
    key = f"business-plan-checkpoint:{plan.public_id}:{checkpoint.due_on}"

    def values(reader: Reader) -> dict[str, Any]:
        return {"day": l10n.date_text(checkpoint.due_on, reader.locale, "long")}

    for readers in (_owners(plan), _house(plan)):
        _tell(
            "business_plan_checkpoint",
            plan,
            readers,
            key=key,
            values=values,
            button=gettext_lazy("See where the plan stands"),
        )


def target_proposed(change: GoalChange, plan: BusinessPlan) -> None:
    """Ask the owners of the team whether they agree to another target."""
    _tell(
        "business_plan_target_proposed",
        plan,
        _owners(plan),
        key=f"business-plan-target-proposed:{change.pk}",
        values=lambda reader: {**_change(change, plan, reader), "because": change.because},
        button=gettext_lazy("Answer in the portal"),
    )


def target_answered(change: GoalChange, plan: BusinessPlan, *, by: User) -> None:
    """Pass on what the partner says to another target."""
    proposer = change.proposed_by
    ours = [(proposer.email, proposer.language, proposer.get_full_name())] if proposer.is_active else []
    _tell(
        "business_plan_target_answered",
        plan,
        [_Reader(Reader(*each), is_ours=True) for each in ours],
        key=f"business-plan-target-answered:{change.pk}",
        values=lambda reader: {
            **_change(change, plan, reader),
            "person": by.get_full_name(),
            "is_agreed": change.agreed_at is not None,
        },
        button=gettext_lazy("Open the plan"),
    )


def completed(plan: BusinessPlan) -> None:
    """Say to the owners what came of a plan."""
    _tell(
        "business_plan_completed",
        plan,
        _owners(plan),
        key=f"business-plan-completed:{plan.public_id}",
        values=lambda reader: {
            "period": _period(plan, reader.locale),
            "goals": _figures(plan, reader),
            "outcome": plan.outcome,
        },
        button=gettext_lazy("Open the plan"),
    )


@dataclass(frozen=True)
class _Reader:
    """Somebody who is written to, with the side they stand on."""

    reader: Reader
    is_ours: bool


def _tell(
    kind: str, plan: BusinessPlan, readers: list[_Reader], *, key: str, values: Values, button: Any
) -> None:
    for each in readers:
        reader = each.reader
        url = reverse("admin:partners_businessplan_change", args=[plan.pk])
        with translation.override(reader.language):
            own = values(reader)
        outbox.queue(
            kind,
            to=reader.email,
            key=f"{key}:{reader.email.casefold()}",
            about=plan.public_id,
            language=reader.language,
            context={
                "name": reader.name,
                "partner": plan.membership.partner.name,
                "program": plan.membership.program.name,
                "title": plan.title,
                "is_ours": each.is_ours,
                "button_text": button,
                "button_url": mails.absolute(url if each.is_ours else f"{PORTAL}{plan.public_id}/"),
                **own,
            },
        )


def _owners(plan: BusinessPlan) -> list[_Reader]:
    return [_Reader(reader, is_ours=False) for reader in readers_of(plan.membership.partner, OWNERS)]


def _house(plan: BusinessPlan) -> list[_Reader]:
    """Return who proposed the plan and who looks after the partner, as far as they still work here."""
    people = [plan.proposed_by, plan.membership.partner.account_manager]
    found = {person.pk: person for person in people if person is not None and person.is_active}
    return [
        _Reader(Reader(person.email, person.language, person.get_full_name()), is_ours=True)
        for person in found.values()
    ]


def _period(plan: BusinessPlan, locale: str) -> str:
    first, last = l10n.date_text(plan.starts_on, locale), l10n.date_text(plan.ends_on, locale)
    return _("%(first)s to %(last)s") % {"first": first, "last": last}


def _targets(plan: BusinessPlan, reader: Reader) -> list[str]:
    currency = plan.membership.program.currency
    return [
        _("%(goal)s: %(target)s by %(day)s")
        % {
            "goal": label_of(goal.metric),
            "target": figure_text(goal.metric, goal.target, currency, reader.locale),
            "day": l10n.date_text(goal.due_on, reader.locale),
        }
        for goal in plan.goals.order_by("due_on", "pk")
    ]


def _figures(plan: BusinessPlan, reader: Reader) -> list[str]:
    return list(_reached(loaded(plan.figures or {}), plan.membership.program.currency, reader.locale))


def _reached(goals: tuple[GoalProgress, ...], currency: str, locale: str) -> Iterator[str]:
    for goal in goals:
        yield (
            _("%(goal)s: %(value)s of %(target)s. %(stands)s")
            % {
                "goal": label_of(goal.metric),
                "value": figure_text(goal.metric, goal.value, currency, locale),
                "target": figure_text(goal.metric, goal.target, currency, locale),
                "stands": str(STANDS[goal.stands]),
            }
        )


def _change(change: GoalChange, plan: BusinessPlan, reader: Reader) -> dict[str, str]:
    goal, currency = change.goal, plan.membership.program.currency
    return {
        "goal": label_of(goal.metric),
        "day": l10n.date_text(goal.due_on, reader.locale),
        "before": figure_text(goal.metric, change.before, currency, reader.locale),
        "after": figure_text(goal.metric, change.after, currency, reader.locale),
    }
