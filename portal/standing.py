"""What keeps a membership from running on as ever, for the top of every page: a suspension or an announced end, why, since or until when, and
whom to write to. It is looked up only where the door has seen that there is something to say."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from partners import leaving
from partners.choices import SanctionReason
from partners.mails import moment_text
from partners.mails_leaving import whom_to_write
from payouts.models import RiskCase
from portal import roles
from portal.formats import active_locale, date_text
from portal.notices import Notice, Visit


def notices_of(room: Visit) -> list[Notice]:
    """Return what every page of this room begins with."""
    found = []
    if getattr(room.membership, "is_stopped", False):
        found.append(_suspended(room))
    if getattr(room.membership, "is_leaving", False):
        found.append(_leaving(room))
    if getattr(room.membership, "has_open_case", False):
        found += _under_review(room)
    return found


def _suspended(room: Visit) -> Notice:
    suspension = leaving.open_suspension(room.membership)
    if suspension is None:
        return Notice(
            "warn", _("Links and codes earn nothing now."), title=_("Your membership is suspended.")
        )
    told = {
        "date": moment_text(suspension.suspended_at, room.membership, active_locale()),
        "reason": suspension.get_reason_display(),
    }
    said = [_("Since %(date)s. The reason: %(reason)s.") % told]
    if suspension.note:
        said.append(suspension.note)
    said.append(_("Links and codes earn nothing until the suspension is lifted, and payments wait as long."))
    said.append(_("What you have earned before stays yours."))
    said += _contact(room)
    return Notice("warn", " ".join(said), title=_("Your membership is suspended."))


def _leaving(room: Visit) -> Notice:
    ending = leaving.waiting_end(room.membership)
    if ending is None:
        return Notice("info", "", title=_("Your membership ends."))
    day = {"date": moment_text(ending.effective_at, room.membership, active_locale())}
    own_wish = ending.reason == SanctionReason.OWN_WISH
    said = [_("Until then everything goes on as before, and what you have earned is paid.")]
    if not own_wish:
        said.insert(0, _("The reason: %(reason)s.") % {"reason": ending.get_reason_display()})
        said += [ending.note] if ending.note else []
        said += _contact(room)
    may_cancel = own_wish and room.may(roles.MANAGE_TEAM)
    return Notice(
        "info" if own_wish else "warn",
        " ".join(said),
        title=_("Your membership ends on %(date)s.") % day,
        href=reverse("portal:leave") if may_cancel else "",
        action=_("Stay after all") if may_cancel else "",
    )


def _under_review(room: Visit) -> list[Notice]:
    case = RiskCase.objects.open().filter(membership=room.membership).first()
    if case is None:
        return []
    told = {"reason": case.reason, "date": date_text(case.review_on)}
    return [
        Notice(
            "warn",
            _("%(reason)s We decide by %(date)s.") % told,
            title=_("We look at some of your lines before they are paid."),
            href=reverse("portal:review_of_lines", args=[case.public_id]),
            action=_("Read it and answer"),
        )
    ]


def _contact(room: Visit) -> list[str]:
    address = whom_to_write(room.membership)
    if not address:
        return []
    return [_("If you think this is wrong, write to %(address)s.") % {"address": address}]
