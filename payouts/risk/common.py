"""What every move of a case shares: what it refuses, and who may make it. Whoever is in a partner's team decides nothing about that partner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from partners.models import Member, Membership
from payouts.choices import RiskCaseState
from payouts.models import RiskCase
from prm.accounts import policy
from prm.lib.errors import Refused

if TYPE_CHECKING:
    from prm.accounts.models import User

LONGEST_REASON = 200
LONGEST_OUTCOME = 200  # it becomes what came of each pause
LONGEST_TEXT = 4000
MOST_ANSWERS = 20
OPEN = (RiskCaseState.OPEN, RiskCaseState.INVESTIGATING)


class NoReason(Refused):
    message = _("Write the reason, in up to 200 characters. The partner reads it.")
    field = "reason"


class NoOutcome(Refused):
    message = _("Write what came of it, in up to 200 characters. The partner reads it.")
    field = "outcome"


class NoText(Refused):
    message = _("Write what you want to say, in up to 4,000 characters.")
    field = "text"


class NotAReviewDay(Refused):
    message = _("The case has to be decided by a day that is still to come.")
    field = "review_on"


class NoSignals(Refused):
    message = _("Choose the signals this case is about; those in a case or set aside are no longer free.")
    field = "signals"


class CaseIsOpen(Refused):
    message = _("There is an open case about this partner already: add the signals to it.")


class CaseDecided(Refused):
    message = _("This case is decided already.")


class NotInTheCase(Refused):
    message = _("Choose conversions this case is about and the partner is credited for.")
    field = "conversions"


class UnknownSanction(Refused):
    message = _("Choose what follows.")
    field = "sanction"


class OwnTeam(Refused):
    message = _("You are in this partner's team: somebody else has to look after this.")


class NotYourCase(Refused):
    message = _("Only members of the partner's team who do more than look may answer.")


class EnoughSaid(Refused):
    message = _("You have written often enough here; write to the program's contact address instead.")
    field = "text"


class SignalTaken(Refused):
    message = _("This signal is in a case or set aside already.")


def require_decider(partner_id: int, by: User) -> None:
    """Let those through who decide about risk and have no part in the partner.

    Raises: Forbidden, OwnTeam.
    """
    policy.require(by, "decide_risk")
    if Member.objects.filter(partner=partner_id, user=by).exists():
        raise OwnTeam


def one_line(text: str, refusal: type[Refused], *, most: int) -> str:
    """Return a text in one line, without the space around it.

    Raises: the refusal.
    """
    said = " ".join(text.split())
    if not said or len(said) > most:
        raise refusal
    return said


def lock(membership_id: int) -> Membership:
    """Return a membership under its row lock, which every move of a case takes first."""
    return Membership.objects.lock().select_related("program", "partner").get(pk=membership_id)


def still_open(case: RiskCase) -> RiskCase:
    """Return the case as it stands, if nobody has decided it.

    Raises: CaseDecided.
    """
    found = RiskCase.objects.select_related("membership__program", "membership__partner").get(pk=case.pk)
    if found.state not in OPEN:
        raise CaseDecided
    return found
