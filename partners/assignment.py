"""Give applications to account managers. Nobody gets more than they take on; without anybody free an application waits for somebody to
take it over, and the front page says so."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from partners.applications import undecided
from partners.choices import ApplicationState
from partners.models import Application, Member, Workload
from prm import audit
from prm.accounts import policy
from prm.accounts.models import User
from prm.lib.errors import Refused

if TYPE_CHECKING:
    from tiers.models import Program


class CannotDecide(Refused):
    message = _("%(name)s may not decide on applications.")
    field = "manager"


class AlreadyTheirs(Refused):
    message = _("%(name)s looks after this application already.")
    field = "manager"


class TooFew(Refused):
    message = _("Write a number of at least 0.")
    field = "most_open"


def managers() -> QuerySet[User]:
    """Return the people who may decide on applications."""
    roles = policy.roles_with("decide_applications")
    staff = User.objects.filter(is_staff=True, is_active=True)
    able = staff.filter(Q(groups__name__in=roles) | Q(is_superuser=True))
    return able.distinct().order_by("full_name", "pk")


def workloads() -> QuerySet[Workload]:
    """Return everybody's workload with how many open applications they look after, as `open_now`."""
    assigned = Count("user__assigned_applications", filter=_of_user(), distinct=True)
    return (
        Workload.objects.select_related("user").annotate(open_now=assigned).order_by("user__full_name", "pk")
    )


def open_now(workload: Workload) -> int:
    """Return how many undecided applications somebody looks after, as `workloads` counted them."""
    count: int = getattr(workload, "open_now", 0)
    return count


def _of_user() -> Q:
    return Q(user__assigned_applications__state__in=ApplicationState.undecided())


@transaction.atomic
def assign(application: Application, *, manager: User, by: User, at: datetime) -> Application:
    """Let `manager` look after an undecided application, instead of whoever did.

    Raises: Forbidden, AlreadyDecided, CannotDecide, AlreadyTheirs.
    """
    policy.require(by, "decide_applications")
    if not policy.may(manager, "decide_applications"):
        raise CannotDecide(params={"name": manager.get_full_name() or manager.email})
    application = undecided(application)
    if application.manager_id == manager.pk:
        raise AlreadyTheirs(params={"name": manager.get_full_name() or manager.email})
    before = application.manager_id
    _give(application, manager, at=at)
    audit.record(by, "application.assigned", application, at=at, manager=manager.pk, before=before)
    return application


@transaction.atomic
def assign_by_itself(application: Application, *, at: datetime) -> User | None:
    """Give an application nobody looks after to the account manager with room who has the fewest open ones.

    Who looks after the applicant's partner, or after the partner who introduced the applicant, comes first while there is room.
    """
    # One after the other: two at once would both see the last free place.
    list(Workload.objects.select_for_update(no_key=True).order_by("pk"))
    locked = (
        Application.objects.lock().select_related("program", "introducer__partner").get(pk=application.pk)
    )
    if locked.manager_id is not None or locked.state not in ApplicationState.undecided():
        return None
    if locked.counts_since is None:
        return None
    free = _free(locked.program)
    if not free:
        return None
    known = [pk for pk in _acquainted(locked) if pk in free]
    chosen = free[known[0]] if known else min(free.values(), key=lambda each: (open_now(each), each.user_id))
    _give(locked, chosen.user, at=at)
    audit.record(None, "application.assigned", locked, at=at, manager=chosen.user_id, known=bool(known))
    return chosen.user


def unassigned() -> QuerySet[Application]:
    """Return applications that wait for us and that nobody looks after."""
    return Application.objects.waiting_for_us().filter(manager=None)


def set_workload(
    user: User, *, most_open: int, takes_new: bool, programs: Iterable[Program], by: User, at: datetime
) -> Workload:
    """Say how many undecided applications a person looks after at most, and of which programs; none means all.

    Raises: Forbidden, CannotDecide, TooFew.
    """
    policy.require(by, "manage_eligibility")
    if not policy.may(user, "decide_applications"):
        raise CannotDecide(params={"name": user.get_full_name() or user.email})
    if not 0 <= most_open <= 10_000:
        raise TooFew
    with transaction.atomic():
        row, _made = Workload.objects.update_or_create(
            user=user, defaults={"most_open": most_open, "takes_new": takes_new}
        )
        row.programs.set(programs)
        audit.record(
            by,
            "workload.set",
            row,
            at=at,
            most_open=most_open,
            takes_new=takes_new,
            programs=sorted(row.programs.values_list("slug", flat=True)),
        )
    return row


def _free(program: Program) -> dict[int, Workload]:
    """Return who has room for an application of `program`, by the person's id."""
    able = set(managers().values_list("pk", flat=True))
    found = workloads().filter(takes_new=True).prefetch_related("programs")
    return {
        each.user_id: each
        for each in found
        if each.user_id in able and open_now(each) < each.most_open and _takes(each, program)
    }


def _takes(workload: Workload, program: Program) -> bool:
    only = {each.pk for each in workload.programs.all()}
    return not only or program.pk in only


def _acquainted(application: Application) -> list[int]:
    """Return who knows the applicant: from the partner it has already, then from who introduced it."""
    own = Member.objects.current().filter(user__email_folded=application.email_folded)
    known: list[int | None] = list(own.order_by("pk").values_list("partner__account_manager", flat=True))
    if application.introducer is not None:
        known.append(application.introducer.partner.account_manager_id)
    return [pk for pk in known if pk]


def _give(application: Application, manager: User, *, at: datetime) -> None:
    application.manager, application.assigned_at = manager, at
    application.save(update_fields=["manager", "assigned_at"])
