"""Keep a program's checklist and tick what only people can see. A program has the usual list until somebody changes it; a step that is taken
away keeps its ticks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from partners.checklists import usual_steps
from partners.choices import OnboardingKind, TeamRole
from partners.models import Membership, OnboardingMark, OnboardingStep
from prm import audit
from prm.accounts import policy
from prm.lib.errors import Refused
from tiers.models import Program

if TYPE_CHECKING:
    from prm.accounts.models import User

LONGEST_TITLE, LONGEST_HELP = 80, 300
MAY_TICK = (TeamRole.OWNER, TeamRole.FINANCE, TeamRole.MARKETING, TeamRole.SALES)


class UnknownKind(Refused):
    message = _("Choose what the step asks for.")
    field = "kind"


class OnceOnly(Refused):
    message = _("The list has this step already.")
    field = "kind"


class TitleMissing(Refused):
    message = _("Write at least an English title, up to 80 characters.")
    field = "title_en"


class HelpTooLong(Refused):
    message = _("Explain it in up to 300 characters.")
    field = "help_en"


class BadAddress(Refused):
    message = _("Write a whole address, such as https://www.example.com.")
    field = "url"


class StepRemoved(Refused):
    message = _("This step is no longer on the list.")


class SeenByItself(Refused):
    message = _("This step is ticked by itself once it is done.")


class NotYourStep(Refused):
    message = _("Somebody of the team who may change things ticks this.")


class OtherProgram(Refused):
    message = _("This step belongs to another program.")


@transaction.atomic
def own_list(program: Program, *, by: User, at: datetime) -> None:
    """Give a program rows of its own for the usual steps, once; from then on they can be changed.

    Raises: Forbidden.
    """
    policy.require(by, "manage_programs")
    Program.objects.select_for_update(no_key=True).get(pk=program.pk)
    if OnboardingStep.objects.filter(program=program).exists():
        return
    OnboardingStep.objects.bulk_create(usual_steps(program.pk))
    audit.record(by, "onboarding.list_made", program, at=at)


@transaction.atomic
def add_step(
    program: Program,
    *,
    kind: str,
    by: User,
    at: datetime,
    title: Mapping[str, str] | None = None,
    help_text: Mapping[str, str] | None = None,
    url: str = "",
    position: int | None = None,
    is_required: bool = True,
) -> OnboardingStep:
    """Add a step to a program's list, at its end unless told where.

    Raises: Forbidden, UnknownKind, OnceOnly, TitleMissing, HelpTooLong, BadAddress.
    """
    own_list(program, by=by, at=at)
    if kind not in OnboardingKind.values:
        raise UnknownKind
    here = OnboardingStep.objects.filter(program=program, removed_at=None)
    by_hand = kind in OnboardingKind.by_hand()
    if not by_hand and here.filter(kind=kind).exists():
        raise OnceOnly
    last = here.order_by("-position").first()
    step = OnboardingStep.objects.create(
        program=program,
        kind=kind,
        position=position or (last.position + 1 if last else 1),
        is_required=is_required,
        **_texts(title, help_text, url, by_hand=by_hand),
    )
    audit.record(by, "onboarding.step_added", step, at=at, kind=kind, program=program)
    return step


@transaction.atomic
def change_step(
    step: OnboardingStep,
    *,
    position: int,
    is_required: bool,
    by: User,
    at: datetime,
    title: Mapping[str, str] | None = None,
    help_text: Mapping[str, str] | None = None,
    url: str = "",
) -> OnboardingStep:
    """Change where a step stands, whether it is needed, and what it says; what it asks for stays.

    Raises: Forbidden, StepRemoved, TitleMissing, HelpTooLong, BadAddress.
    """
    policy.require(by, "manage_programs")
    step = OnboardingStep.objects.select_for_update(of=("self",), no_key=True).get(pk=step.pk)
    if step.removed_at is not None:
        raise StepRemoved
    values: dict[str, Any] = {"position": position, "is_required": is_required}
    values |= _texts(title, help_text, url, by_hand=step.kind in OnboardingKind.by_hand())
    changed = [name for name, value in values.items() if getattr(step, name) != value]
    if not changed:
        return step
    for name in changed:
        setattr(step, name, values[name])
    step.save(update_fields=changed)
    audit.record(by, "onboarding.step_changed", step, at=at, fields=sorted(changed))
    return step


@transaction.atomic
def remove_step(step: OnboardingStep, *, by: User, at: datetime) -> OnboardingStep:
    """Take a step off the list.

    Raises: Forbidden, StepRemoved.
    """
    policy.require(by, "manage_programs")
    if not OnboardingStep.objects.filter(pk=step.pk, removed_at=None).update(removed_at=at):
        raise StepRemoved
    step.refresh_from_db()
    audit.record(by, "onboarding.step_removed", step, at=at, kind=step.kind)
    return step


def may_tick(membership: Membership, user: User) -> bool:
    """Say whether `user` may tick steps of a membership: who looks after partners, or a team member who may change things."""
    if policy.may(user, "manage_partners"):
        return True
    return membership.partner.members.current().filter(user=user, role__in=MAY_TICK).exists()


@transaction.atomic
def tick(membership: Membership, step: OnboardingStep, *, by: User, at: datetime) -> OnboardingMark:
    """Note that a step only people can see is done; the first tick stands.

    Raises: NotYourStep, OtherProgram, StepRemoved, SeenByItself.
    """
    _refuse_unfit(membership, step, by)
    mark, made = OnboardingMark.objects.get_or_create(
        membership=membership, step=step, defaults={"done_at": at, "done_by": by}
    )
    if made:
        audit.record(by, "onboarding.ticked", membership, at=at, step=step)
    return mark


@transaction.atomic
def untick(membership: Membership, step: OnboardingStep, *, by: User, at: datetime) -> None:
    """Take a tick back that was set too early.

    Raises: NotYourStep, OtherProgram, StepRemoved, SeenByItself.
    """
    _refuse_unfit(membership, step, by)
    gone, _by_model = OnboardingMark.objects.filter(membership=membership, step=step).delete()
    if gone:
        audit.record(by, "onboarding.unticked", membership, at=at, step=step)


def _refuse_unfit(membership: Membership, step: OnboardingStep, by: User) -> None:
    if not may_tick(membership, by):
        raise NotYourStep
    if step.program_id != membership.program_id:
        raise OtherProgram
    if step.removed_at is not None:
        raise StepRemoved
    if step.kind not in OnboardingKind.by_hand():
        raise SeenByItself


def _texts(
    title: Mapping[str, str] | None, help_text: Mapping[str, str] | None, url: str, *, by_hand: bool
) -> dict[str, Any]:
    """Return checked texts by language; steps the product sees itself have words of their own."""
    if not by_hand:
        return {"title": {}, "help_text": {}, "url": ""}
    languages = [code for code, _name in settings.LANGUAGES]
    titles = {code: " ".join((title or {}).get(code, "").split()) for code in languages}
    helps = {code: " ".join((help_text or {}).get(code, "").split()) for code in languages}
    for code in languages:
        if len(titles[code]) > LONGEST_TITLE or (code == "en" and not titles[code]):
            raise TitleMissing(field=f"title_{code}")
        if len(helps[code]) > LONGEST_HELP:
            raise HelpTooLong(field=f"help_{code}")
    if url:
        try:
            URLValidator(schemes=["http", "https"])(url)
        except ValidationError as error:
            raise BadAddress from error
    return {
        "title": {code: text for code, text in titles.items() if text},
        "help_text": {code: text for code, text in helps.items() if text},
        "url": url,
    }
