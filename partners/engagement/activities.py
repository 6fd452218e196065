"""Partners say what they did besides selling, staff confirms it or says why it does not count. What was decided is never rewritten: a
declined activity is told anew."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from django.core.files import File
from django.db import transaction
from django.db.models import QuerySet
from django.http import FileResponse
from django.utils.translation import gettext_lazy as _

from partners import profile_fields as fields
from partners import uploads as files
from partners.choices import ActivityState, TeamRole
from partners.engagement import mails
from partners.engagement.told import Told, checked
from partners.models import Activity, Member, Membership
from partners.own_team import refuse_own
from prm import audit
from prm.accounts import policy
from prm.lib import uploads
from prm.lib.errors import Refused

if TYPE_CHECKING:
    from prm.accounts.models import User

CAPABILITY = "confirm_engagement"
TELLERS = (TeamRole.OWNER, TeamRole.MARKETING, TeamRole.SALES)
MOST_WAITING = 100
_LONGEST_REASON = 300
_FOLDER = "activities"
_TYPES = {"pdf": "application/pdf", "png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}


class NotYours(Refused):
    message = _("Owners, marketing and sales of the partner's team can tell what they did.")


class MembershipOver(Refused):
    message = _("This membership has ended; nothing more counts for it.")


class ToldAlready(Refused):
    message = _("This is on the list already: the same kind, day and title.")
    field = "title"


class TooManyWaiting(Refused):
    message = _("%(count)s activities wait to be confirmed. Tell more when they have been looked at.")


class NotWaiting(Refused):
    message = _("This was decided or withdrawn in the meantime.")


class NoReason(Refused):
    message = _("Say why it does not count, in up to 300 characters: the partner reads it.")
    field = "reason"


@transaction.atomic
def tell(membership: Membership, told: Told, *, by: User, at: datetime) -> Activity:
    """Write an activity down; it waits until staff has confirmed it.

    Raises: NotYours, MembershipOver, TooManyWaiting, UnknownKind, TitleMissing, DayMissing, DayAhead, BeforeJoining, BadAddress,
    BadDescription, ToldAlready, and what `partners.uploads.checked` raises.
    """
    _require_teller(membership, by)
    # The membership's row is the lock of its activities: the same is not told twice at once.
    locked = Membership.objects.lock().select_related("program", "partner").get(pk=membership.pk)
    if locked.ended_at is not None:
        raise MembershipOver
    if locked.activities.filter(state=ActivityState.WAITING).count() >= MOST_WAITING:
        raise TooManyWaiting(params={"count": MOST_WAITING})
    activity = Activity(membership=locked, told_at=at, told_by=by)
    _take(activity, told, at=at)
    _save(activity, told.file)
    audit.record(by, "activity.told", activity, at=at, membership=locked.public_id, kind=activity.kind)
    return activity


@transaction.atomic
def change(activity: Activity, told: Told, *, by: User, at: datetime, without_file: bool = False) -> Activity:
    """Say an activity differently while it waits; the file stays unless another one is given, or none is wanted.

    Raises: NotYours, NotWaiting, and what `tell` raises about what is told.
    """
    _require_teller(activity.membership, by)
    locked = _waiting(activity)
    _take(locked, told, at=at)
    before = str(locked.file.name or "")
    if told.file is None and without_file:
        locked.file, locked.file_name = "", ""
    _save(locked, told.file)
    if before and before != locked.file.name:
        transaction.on_commit(partial(uploads.discard, before))
    audit.record(by, "activity.changed", locked, at=at)
    return locked


@transaction.atomic
def withdraw(activity: Activity, *, by: User, at: datetime) -> Activity:
    """Take an activity back that waits.

    Raises: NotYours, NotWaiting.
    """
    _require_teller(activity.membership, by)
    locked = _waiting(activity)
    locked.state = ActivityState.WITHDRAWN
    locked.save(update_fields=["state"])
    audit.record(by, "activity.withdrawn", locked, at=at)
    return locked


@transaction.atomic
def confirm(activity: Activity, *, by: User, at: datetime) -> Activity:
    """Let an activity count, from now on.

    Raises: Forbidden, OwnTeam, NotWaiting.
    """
    return _decide(activity, ActivityState.CONFIRMED, by=by, at=at)


@transaction.atomic
def decline(activity: Activity, *, reason: str, by: User, at: datetime) -> Activity:
    """Say that an activity does not count, and why; the partner may tell it anew.

    Raises: Forbidden, OwnTeam, NoReason, NotWaiting.
    """
    policy.require(by, CAPABILITY)
    try:
        said = fields.one_line(reason, longest=_LONGEST_REASON)
    except Refused as refusal:
        raise NoReason from refusal
    if not said:
        raise NoReason
    return _decide(activity, ActivityState.DECLINED, by=by, at=at, reason=said)


@transaction.atomic
def enter(membership: Membership, told: Told, *, by: User, at: datetime) -> Activity:
    """Write down what staff knows a partner did, and confirm it in the same breath.

    Raises: Forbidden, and what `tell` and `confirm` raise.
    """
    policy.require(by, CAPABILITY)
    return confirm(tell(membership, told, by=by, at=at), by=by, at=at)


def waiting() -> QuerySet[Activity]:
    """Return the activities staff has to look at, the oldest first."""
    found = Activity.objects.filter(state=ActivityState.WAITING)
    return found.select_related("membership__partner", "membership__program", "told_by").order_by(
        "told_at", "pk"
    )


def attachment(activity: Activity) -> FileResponse:
    """Return the evidence as a download; the caller has asked who is asking."""
    return uploads.attachment(activity.file, activity.file_name, types=_TYPES)


def _require_teller(membership: Membership, by: User) -> None:
    if policy.may(by, CAPABILITY):
        return
    team = Member.objects.current().filter(partner=membership.partner_id, user=by)
    if not team.filter(role__in=TELLERS).exists():
        raise NotYours


def _waiting(activity: Activity) -> Activity:
    """Lock an activity, its membership first."""
    Membership.objects.lock().get(pk=activity.membership_id)
    rows = Activity.objects.lock().select_related("membership__program", "membership__partner", "told_by")
    locked = rows.get(pk=activity.pk)
    if locked.state != ActivityState.WAITING:
        raise NotWaiting
    return locked


def _decide(
    activity: Activity, state: ActivityState, *, by: User, at: datetime, reason: str = ""
) -> Activity:
    policy.require(by, CAPABILITY)
    refuse_own(activity.membership.partner_id, by)
    locked = _waiting(activity)
    locked.state, locked.decided_at, locked.decided_by, locked.reason = state, at, by, reason
    locked.save(update_fields=["state", "decided_at", "decided_by", "reason"])
    audit.record(by, f"activity.{state}", locked, at=at, membership=locked.membership.public_id)
    if locked.told_by_id != by.pk:
        mails.decided(locked)
    return locked


def _take(activity: Activity, told: Told, *, at: datetime) -> None:
    for name, value in checked(told, activity.membership, at=at).items():
        setattr(activity, name, value)
    same = Activity.objects.filter(
        membership=activity.membership_id,
        kind=activity.kind,
        held_on=activity.held_on,
        title__iexact=activity.title,
        state__in=(ActivityState.WAITING, ActivityState.CONFIRMED),
    )
    if same.exclude(pk=activity.pk).exists():
        raise ToldAlready


def _save(activity: Activity, file: File[bytes] | None) -> None:
    if file is None:
        activity.save()
        return
    upload = files.checked(file)
    place = uploads.keep(_FOLDER, upload.content, upload.kind)
    try:
        activity.file, activity.file_name = place, upload.name
        activity.save()
    except BaseException:
        uploads.discard(place)
        raise
