"""What every move of a question shares: who may make it, what it refuses, and how a state is moved. Each move names the states it expects,
so that of two people at once one is told that the other was first."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.core.files import File
from django.db.models import Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from partners.choices import TeamRole
from payouts import evidence
from payouts.choices import DisputeState
from payouts.evidence import Evidence
from payouts.models import Dispute, DisputeMessage
from prm.lib.errors import Refused

if TYPE_CHECKING:
    from partners.models import Partner
    from prm.accounts.models import User

MAY_ASK = (TeamRole.OWNER, TeamRole.FINANCE, TeamRole.MARKETING, TeamRole.SALES)
OPEN = (DisputeState.OPENED, DisputeState.ANSWERED, DisputeState.WAITING_PARTNER)
_LONGEST = 4000


class NotYourQuestion(Refused):
    message = _("Only members of the partner's team who do more than look may ask.")


class TooLateToAsk(Refused):
    message = _("This line could be questioned until %(date)s.")


class AlreadyAsked(Refused):
    message = _("There is an open question about this line already.")


class BadText(Refused):
    message = _("Write what you want to say, in up to 4,000 characters.")
    field = "text"


class BadWish(Refused):
    message = _("Choose what is wrong.")
    field = "cause"


class NothingToWorkOut(Refused):
    message = _("This question is about who is credited: there is no line to work out.")


class AlreadyDecided(Refused):
    message = _("This question is decided already.")


class StillUnderWay(Refused):
    message = _("What was accepted is booked or about to be; ask a new question instead.")


def require_may_ask(partner: Partner, by: User) -> None:
    """Let current members of the partner's team through who do more than look.

    Raises: NotYourQuestion.
    """
    if not by.is_active or not partner.members.current().filter(user=by, role__in=MAY_ASK).exists():
        raise NotYourQuestion


def checked_text(text: str, *, field: str = "text") -> str:
    """Return what was written, without the space around it.

    Raises: BadText.
    """
    said = text.strip()
    if not said or len(said) > _LONGEST:
        raise BadText(field=field)
    return said


def move(
    dispute: Dispute, to: DisputeState, *, expected: tuple[DisputeState, ...] = OPEN, **also: Any
) -> None:
    """Move a question from one of the expected states, in the row and in the object.

    Raises: AlreadyDecided.
    """
    moved = Dispute.objects.filter(pk=dispute.pk, state__in=expected).update(state=to, **also)
    if not moved:
        raise AlreadyDecided
    dispute.refresh_from_db(fields=["state", *also])


def write(
    dispute: Dispute,
    text: str,
    *,
    by: User,
    at: datetime,
    is_from_partner: bool,
    file: Evidence | None = None,
) -> DisputeMessage:
    """Add a message to the thread, with a file that was looked at when there is one."""
    place = evidence.keep(file) if file is not None else ""
    try:
        return DisputeMessage.objects.create(
            dispute=dispute,
            is_from_partner=is_from_partner,
            text=text,
            written_at=at,
            written_by=by,
            evidence=place,
            evidence_name=file.name if file is not None else "",
        )
    except Exception:
        if place:
            evidence.discard(place)
        raise


def looked_at(given: File[bytes] | None) -> Evidence | None:
    """Return an uploaded file that was looked at, nothing for none.

    Raises: BadEvidence and its kinds.
    """
    return evidence.checked(given) if given is not None else None


def answered(at: datetime) -> dict[str, Any]:
    """Return what an answer writes down: the instant of the first one stays."""
    return {"first_answered_at": Coalesce("first_answered_at", Value(at))}
