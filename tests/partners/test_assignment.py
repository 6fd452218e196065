"""Applications go to who has room, fewest first; acquaintance comes before that, and nobody gets more than they take."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.urls import reverse

from partners import assignment
from partners.applications import AlreadyDecided
from partners.models import Application, Workload
from prm.accounts.models import User
from tests.desk import at_desk, words
from tests.factories.partners import ApplicationFactory, MemberFactory, MembershipFactory
from tests.factories.tiers import ProgramFactory
from tests.people import ada, felix, mats

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def takes(user: User, most: int = 20, **values: Any) -> Workload:
    given = {"takes_new": True, "programs": [], **values}
    return assignment.set_workload(user, most_open=most, by=ada(), at=NOW, **given)


def load(user: User, count: int) -> None:
    ApplicationFactory.create_batch(count, manager=user, assigned_at=NOW)


def test_the_one_with_the_fewest_open_applications_gets_it() -> None:
    takes(ada())
    takes(mats())
    load(ada(), 2)
    load(mats(), 1)
    ApplicationFactory.create_batch(3, manager=mats(), assigned_at=NOW, state="withdrawn")
    application = ApplicationFactory.create()
    assert assignment.assign_by_itself(application, at=NOW) == mats()
    assert assignment.assign_by_itself(ApplicationFactory.create(), at=NOW) == ada()  # two each: the earlier
    application.refresh_from_db()
    assert (application.manager, application.assigned_at) == (mats(), NOW)


@pytest.mark.parametrize("why", ["full", "takes none", "other program", "no workload", "may not decide"])
def test_without_anybody_free_it_stays_with_nobody(why: str) -> None:
    if why == "full":
        takes(mats(), 1)
        load(mats(), 1)
    elif why == "takes none":
        takes(mats(), takes_new=False)
    elif why == "other program":
        takes(mats(), programs=[ProgramFactory.create()])
    elif why == "may not decide":
        Workload.objects.create(user=felix())
    application = ApplicationFactory.create()
    assert assignment.assign_by_itself(application, at=NOW) is None
    assert application in assignment.unassigned()


@pytest.mark.parametrize("known_by", ["own partner", "introducer"])
def test_who_knows_the_applicant_comes_first_while_there_is_room(known_by: str) -> None:
    takes(mats(), 2)
    takes(ada())
    load(mats(), 1)
    application = ApplicationFactory.create(email="ana@known.example")
    if known_by == "own partner":
        MemberFactory.create(partner__account_manager=mats(), user__email="ana@known.example")
    else:
        application.introducer = MembershipFactory.create(
            program=application.program, partner__account_manager=mats()
        )
        application.save(update_fields=["introducer"])
    assert assignment.assign_by_itself(application, at=NOW) == mats()
    Application.objects.filter(pk=application.pk).update(manager=None, assigned_at=None)
    load(mats(), 1)  # no room any more
    assert assignment.assign_by_itself(application, at=NOW) == ada()


def test_by_hand_it_goes_to_anybody_who_decides_and_to_nobody_else() -> None:
    application = ApplicationFactory.create()
    assignment.assign(application, manager=mats(), by=ada(), at=NOW)
    with pytest.raises(assignment.AlreadyTheirs):
        assignment.assign(application, manager=mats(), by=ada(), at=NOW)
    with pytest.raises(assignment.CannotDecide):
        assignment.assign(application, manager=felix(), by=ada(), at=NOW)
    with pytest.raises(AlreadyDecided):
        assignment.assign(ApplicationFactory.create(state="withdrawn"), manager=mats(), by=ada(), at=NOW)


def test_a_workload_is_set_in_the_back_office() -> None:
    program, user = ProgramFactory.create(), mats()
    client = at_desk(ada())
    given = {"user": user.pk, "most_open": "7", "takes_new": "on", "programs": [program.pk]}
    text = words(client.post(reverse("admin:partners_workload_add"), given, follow=True))
    assert "The workload of Mats Lindqvist is set." in text
    row = Workload.objects.get(user=user)
    assert (row.most_open, row.takes_new, list(row.programs.all())) == (7, True, [program])
    url = reverse("admin:partners_workload_change", args=[row.pk])
    client.post(url, {"most_open": "0"})
    row.refresh_from_db()
    assert (row.most_open, row.takes_new) == (0, False)
    assert at_desk(felix()).get(url).status_code == 403
