"""Profile, first steps, resources and the team's newer buttons, as people of a team use them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from partners import onboarding, resources, team
from partners.choices import TeamRole
from partners.models import Invitation, Member, OnboardingMark, OnboardingStep, Partner, ProgramResource
from partners.uploads import FileOfAnotherKind
from prm.accounts.policy import Forbidden
from prm.mail.models import OutgoingMail
from tests.desk import at_desk, words
from tests.factories.partners import InvitationFactory, MemberFactory
from tests.factories.prm import UserFactory
from tests.factories.recruiting import ProgramResourceFactory
from tests.people import ada, felix, mats
from tests.portal.conftest import signed_in
from tests.portal.scene import NOW, Scene

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


def as_role(scene: Scene, role: str) -> Client:
    client = Client()
    client.force_login(MemberFactory(partner=scene.membership.partner, role=role).user)
    return client


def test_an_owner_changes_the_profile_and_everybody_reads_it_with_its_changes(newcomer: Scene) -> None:
    client = signed_in(newcomer)
    given = {"name": "Partner Ana", "country": "Portugal", "language": "en", "specialities": "Gifts, Toys"}
    answer = client.post(reverse("portal:profile_change"), given, follow=True)
    assert "look at your tax details again" in words(answer)
    partner = Partner.objects.get(pk=newcomer.membership.partner_id)
    assert (partner.country, partner.specialities) == ("Portugal", ["Gifts", "Toys"])
    page = words(as_role(newcomer, TeamRole.READ_ONLY).get(reverse("portal:profile")))
    assert "United Kingdom" in page and "Portugal" in page and "Ana Prado" in page
    assert "Change the profile" not in page


def test_a_wrong_profile_is_told_all_at_once_and_keeps_what_was_typed(newcomer: Scene) -> None:
    answer = signed_in(newcomer).post(
        reverse("portal:profile_change"),
        {
            "name": "Ana",
            "country": "France",
            "vat_number": "FR40303265046",
            "phone": "call me",
            "language": "en",
        },
    )
    assert answer.status_code == 422
    assert "There are 2 things to fix" in words(answer)
    assert 'value="FR40303265046"' in answer.content.decode()


def test_only_owners_open_the_form(newcomer: Scene) -> None:
    for role in (TeamRole.FINANCE, TeamRole.SALES, TeamRole.READ_ONLY):
        assert as_role(newcomer, role).get(reverse("portal:profile_change")).status_code == 403


def test_a_newcomer_sees_the_checklist_instead_of_the_chart(newcomer: Scene) -> None:
    onboarding.add_step(newcomer.house.program, kind="training", title={"en": "Webinar"}, by=ada(), at=NOW)
    client = signed_in(newcomer)
    page = words(client.get(reverse("portal:home")))
    assert "Steps to your first sale" in page and "Webinar" in page
    step = OnboardingStep.objects.get(kind="training")
    tick = reverse("portal:first_step_tick", args=[step.public_id])
    assert as_role(newcomer, TeamRole.READ_ONLY).post(tick).status_code == 403
    assert client.get(tick).status_code == 405
    assert "Your first steps are up to date" in words(client.post(tick, follow=True))
    assert OnboardingMark.objects.get().done_by == newcomer.ana
    client.post(tick, {"undo": "1"})
    assert not OnboardingMark.objects.exists()
    foreign = OnboardingStep.objects.create(
        program_id=step.program_id, kind="bank", position=9, removed_at=NOW
    )
    assert client.post(reverse("portal:first_step_tick", args=[foreign.public_id])).status_code == 404


def test_resources_are_hidden_until_there_are_any_and_files_leave_as_downloads(newcomer: Scene) -> None:
    client = signed_in(newcomer)
    address = reverse("portal:resources")
    assert f'href="{address}"' not in client.get(reverse("portal:home")).content.decode()
    program = newcomer.house.program
    made = resources.add(
        program, kind="guide", title="Guide", file=SimpleUploadedFile("guide.pdf", PDF), by=ada(), at=NOW
    )
    other = ProgramResourceFactory()
    ProgramResourceFactory(program=program, kind="logo", title="Logo", language="fr")
    assert f'href="{address}"' in client.get(reverse("portal:home")).content.decode()
    assert "Guide" in words(client.get(address)) and "Logo" in words(client.get(address))
    narrowed = words(client.get(address, {"kind": "logo", "language": "xx"}))
    assert "Logo" in narrowed and "guide.pdf" not in narrowed
    download = client.get(reverse("portal:resource_file", args=[made.public_id]))
    assert download["Content-Type"] == "application/pdf"
    assert download["Content-Disposition"].startswith("attachment")
    assert client.get(reverse("portal:resource_file", args=[other.public_id])).status_code == 404
    resources.remove(made, by=ada(), at=NOW)
    assert client.get(reverse("portal:resource_file", args=[made.public_id])).status_code == 404


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"url": ""}, resources.LeadsNowhere),
        ({"url": "javascript:alert(1)"}, resources.BadAddress),
        ({"title": " "}, resources.TitleMissing),
        ({"kind": "song"}, resources.UnknownKind),
        ({"language": "xx"}, resources.UnknownLanguage),
        ({"description": "x" * 301}, resources.DescriptionTooLong),
        ({"url": "", "file": SimpleUploadedFile("a.svg", b"<svg onload='x'/>")}, FileOfAnotherKind),
    ],
)
def test_a_resource_that_helps_nobody_is_refused(
    newcomer: Scene, given: dict[str, object], refusal: type[Exception]
) -> None:
    whole = {"kind": "guide", "title": "Guide", "url": "https://halden.example/guide", **given}
    with pytest.raises(refusal):
        resources.add(newcomer.house.program, **whole, by=ada(), at=NOW)  # type: ignore[arg-type]
    with pytest.raises(Forbidden):
        resources.add(
            newcomer.house.program, kind="guide", title="x", url="https://x.example", by=mats(), at=NOW
        )
    assert not ProgramResource.objects.exists()


def test_an_invitation_is_mailed_again_and_only_the_newest_link_works(newcomer: Scene) -> None:
    partner = newcomer.membership.partner
    first, old = team.invite(partner, email="pia@x.example", role="sales", by=newcomer.ana, at=NOW)
    answer = signed_in(newcomer).post(reverse("portal:team_renew", args=[first.public_id]), follow=True)
    assert "gets a new mail" in words(answer)
    assert team.find(old, at=NOW) is None
    assert OutgoingMail.objects.filter(kind="team_invitation").count() == 2
    with pytest.raises(team.InvitationOver):
        first.refresh_from_db()
        team.renew(first, by=newcomer.ana, at=NOW)


def test_an_expired_link_can_be_asked_for_again_and_says_the_same_for_any_other(newcomer: Scene) -> None:
    partner = newcomer.membership.partner
    _invitation, token = team.invite(
        partner, email="pia@x.example", role="sales", by=newcomer.ana, at=NOW - timedelta(days=3650)
    )
    stranger = Client()
    for word in (token, token, "altered"):
        answer = stranger.post(reverse("public:invitation", args=[word]), {"fresh": "1"})
        assert answer.status_code == 410
        assert "a fresh link is on its way" in words(answer)
    assert OutgoingMail.objects.filter(kind="team_invitation").count() == 2
    assert Invitation.objects.filter(withdrawn_at=None).count() == 1


def test_a_person_of_another_team_is_invited_in_their_own_language(newcomer: Scene) -> None:
    elsewhere = MemberFactory(user=UserFactory(email="pia@x.example", language="fr"))
    partner = newcomer.membership.partner
    _invitation, token = team.invite(partner, email="pia@x.example", role="sales", by=newcomer.ana, at=NOW)
    assert OutgoingMail.objects.get(kind="team_invitation").language == "fr"
    team.accept(token, user=elsewhere.user, at=NOW)
    assert Member.objects.current().filter(user=elsewhere.user).count() == 2


def test_the_team_page_says_who_was_here_and_why_the_last_owner_stays(newcomer: Scene) -> None:
    seen = MemberFactory(partner=newcomer.membership.partner, role="sales").user
    seen.last_login = NOW - timedelta(days=1)
    seen.save(update_fields=["last_login"])
    InvitationFactory(partner=newcomer.membership.partner)
    client = signed_in(newcomer)
    page = words(client.get(reverse("portal:team")))
    assert (
        "Last sign-in" in page and "19 Jun 2026" in page and "The only owner" in page and "Send again" in page
    )
    own = Member.objects.get(user=newcomer.ana)
    leave = client.get(reverse("portal:team_remove", args=[own.public_id]))
    assert "A team needs an owner" in words(leave) and 'class="button danger"' not in leave.content.decode()
    assert client.post(reverse("portal:team_remove", args=[own.public_id])).status_code == 422
    assert "Last sign-in" not in words(as_role(newcomer, TeamRole.SALES).get(reverse("portal:team")))


def test_staff_keeps_checklists_and_sees_who_is_stuck_where(newcomer: Scene) -> None:
    desk = at_desk(ada())
    add = reverse("admin:partners_onboardingstep_add")
    assert desk.get(add).status_code == 200
    given = {"program": newcomer.house.program.pk, "kind": "training", "is_required": "on"}
    assert desk.post(add, given).status_code == 422
    assert desk.post(add, {**given, "title_en": "Webinar", "url": "https://x.example"}).status_code == 302
    step = OnboardingStep.objects.get(kind="training")
    change = reverse("admin:partners_onboardingstep_change", args=[step.pk])
    assert desk.get(change).status_code == 200
    assert desk.post(change, {"title_en": "Course", "position": "6"}).status_code == 302
    page = words(desk.get(reverse("admin:partners_onboarding"), {"program": newcomer.house.program.pk}))
    assert "Partner ANA10" in page and "1 of 6" in page
    tick = reverse("admin:partners_onboarding_tick", args=[step.pk, newcomer.membership.pk])
    assert at_desk(felix()).post(tick).status_code == 403
    assert at_desk(mats()).post(tick).status_code == 302
    shown = words(desk.get(reverse("admin:partners_membership_change", args=[newcomer.membership.pk])))
    assert "First steps" in shown and "Not done after all" in shown
    remove = reverse("admin:partners_onboardingstep_remove", args=[step.pk])
    assert "no longer keeps" in words(desk.get(remove))
    assert desk.post(remove).status_code == 302
    assert desk.get(reverse("admin:partners_onboardingstep_changelist")).status_code == 200
    assert at_desk(mats()).get(add).status_code == 403


def test_staff_adds_a_resource_and_takes_it_away(newcomer: Scene) -> None:
    desk = at_desk(ada())
    add = reverse("admin:partners_programresource_add")
    given = {"program": newcomer.house.program.pk, "kind": "guide", "title": "Guide"}
    assert desk.post(add, given).status_code == 422
    file = SimpleUploadedFile("guide.pdf", PDF)
    assert desk.post(add, {**given, "file": file}).status_code == 302
    made = ProgramResource.objects.get()
    assert "guide.pdf" in words(desk.get(reverse("admin:partners_programresource_change", args=[made.pk])))
    download = desk.get(reverse("admin:partners_programresource_file", args=[made.pk]))
    assert download["Content-Disposition"].startswith("attachment")
    remove = reverse("admin:partners_programresource_remove", args=[made.pk])
    assert at_desk(mats()).post(remove).status_code == 403
    assert desk.get(remove).status_code == 200
    assert desk.post(remove).status_code == 302
    made.refresh_from_db()
    assert made.removed_by == ada()
    assert desk.get(reverse("admin:partners_programresource_changelist")).status_code == 200
