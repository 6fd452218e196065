"""Several applications are decided on one page: each row says what happens to it, and each is decided alone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.urls import reverse

from partners.models import Application, Membership
from prm.audit.models import AuditEvent
from prm.mail.models import OutgoingMail
from tests.desk import at_desk, links, words
from tests.factories.partners import ApplicationFactory, MemberFactory, MembershipFactory
from tests.factories.tiers import ProgramFactory, TierFactory
from tests.people import ada, felix, mats

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
QUEUE = "admin:partners_application_changelist"


def together(what: str) -> str:
    return reverse("admin:partners_application_together", args=[what])


def mixed() -> list[Application]:
    """Make two applications to decide, one unconfirmed, one closed, and one of the reviewer."""
    program = ProgramFactory.create()
    TierFactory.create(program=program, key="start", name="Start", rank=1)
    return [
        ApplicationFactory.create(program=program, company="One Ltd"),
        ApplicationFactory.create(program=program, company="Two Ltd"),
        ApplicationFactory.create(program=program, company="Unsure Ltd", email_confirmed_at=None),
        ApplicationFactory.create(program=program, company="Gone Ltd", state="withdrawn"),
        ApplicationFactory.create(program=program, company="Own Ltd", email="mats@halden.example"),
    ]


def ids(rows: list[Application]) -> str:
    return ",".join(str(row.pk) for row in rows)


def test_rows_ticked_in_the_list_open_the_page_with_their_outcomes() -> None:
    rows = mixed()
    ticked = {"action": "approve", "_selected_action": [row.pk for row in rows]}
    text = words(at_desk(mats()).post(reverse(QUEUE) + "?waiting=all", ticked, follow=True))
    assert "Approve 2 applications" in text
    assert "skipped: e-mail not confirmed" in text
    assert "skipped: closed already" in text
    assert "skipped: your own application" in text
    assert "2 partners can sign in" in text
    assert "3 rows are left as they are." in text
    assert not Membership.objects.exists()


def test_an_approval_of_several_makes_one_membership_and_one_mail_each() -> None:
    rows = mixed()
    program = rows[0].program
    given = {"ids": ids(rows), f"tier_{program.pk}": program.tiers.get().pk, "text": "Welcome!"}
    page = at_desk(mats()).post(together("approve"), given)
    assert "2 done, 3 left as they were" in words(page)
    assert reverse("admin:partners_application_change", args=[rows[0].pk]) in links(page)
    assert set(Membership.objects.values_list("application__company", flat=True)) == {"One Ltd", "Two Ltd"}
    assert OutgoingMail.objects.filter(kind="application_approved", text__contains="Welcome!").count() == 2
    assert "Back to the queue" in words(at_desk(mats()).post(together("approve"), given))
    assert Membership.objects.count() == 2


def test_one_that_is_refused_does_not_stop_the_others() -> None:
    rows = mixed()[:2]
    tier = TierFactory.create(program=rows[0].program, key="other", rank=2)
    owner = MemberFactory.create(user__email=rows[0].email)
    MembershipFactory.create(partner=owner.partner, program=rows[0].program)
    given = {"ids": ids(rows), f"tier_{rows[0].program_id}": tier.pk}
    text = words(at_desk(mats()).post(together("approve"), given))
    assert "1 done, 1 left as they were" in text
    assert "This partner is in the program already." in text
    assert Membership.objects.filter(application=rows[1]).exists()
    assert AuditEvent.objects.filter(action="application.approved", actor=mats()).count() == 1


@pytest.mark.parametrize(
    ("what", "given"), [("reject", {}), ("ask", {}), ("assign", {}), ("reject", {"reason": "dislike"})]
)
def test_what_is_missing_is_said_and_nothing_moves(what: str, given: dict[str, str]) -> None:
    rows = mixed()
    response = at_desk(mats()).post(together(what), {"ids": ids(rows), **given})
    assert response.status_code == 422
    assert not Application.objects.filter(decided_at__isnull=False).exists()
    assert not OutgoingMail.objects.exists()


def test_several_are_assigned_whoever_sent_them() -> None:
    rows = mixed()
    text = words(at_desk(mats()).post(together("assign"), {"ids": ids(rows), "manager": ada().pk}))
    assert "4 done, 1 left as they were" in text
    assert Application.objects.filter(manager=ada()).count() == 4


def test_looking_decides_nothing_and_finance_does_not_decide() -> None:
    rows = mixed()
    assert at_desk(felix()).post(together("reject"), {"ids": ids(rows)}).status_code == 403
    at_desk(mats()).get(together("reject") + f"?ids={ids(rows)}&reason=fit")
    assert not Application.objects.filter(decided_at__isnull=False).exists()
    assert at_desk(mats()).get(together("explode")).status_code == 404
