"""What a hostile stranger types is refused or shown as text, on every page that takes text from people: nothing of it comes alive in a page,
in a mail or in a spreadsheet, and no page breaks over it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partners import amendments, invitations, references
from partners.application_forms import publishing
from partners.application_forms.definition import STANDARD, Choice, Definition, Question
from partners.application_forms.standard import standard_for
from partners.business_plans import plans
from partners.invitation_rows import word_of
from partners.models import Application, LessonAttempt
from partners.tokens import status_token
from portal.views import apply, apply_check, draft, invited
from prm.mail.models import OutgoingMail
from tests import applying
from tests.certified import QUESTIONS
from tests.desk import at_desk
from tests.factories.partners import ApplicationFactory, TermsVersionFactory
from tests.factories.recruiting import FormVersionFactory, ProspectFactory, ReferenceFactory
from tests.factories.tiering import (
    ActivityFactory,
    CertificationFactory,
    CourseFactory,
    LessonFactory,
    StaffFactory,
    TierReviewFactory,
)
from tests.partners.plan_scene import JAN_2, outlined
from tests.people import ada, mats
from tests.portal.conftest import signed_in
from tests.portal.hostile import ILLEGAL, LEGAL, alive, attack, forms_of, post, wrong_mails
from tests.portal.scene import Scene
from tiers import schemes
from tiers.models import Tier

pytestmark = pytest.mark.django_db
OWN_KINDS = ("text", "long_text", "number", "choice", "multiple", "date", "country", "url")
Place = Callable[[Scene], tuple[Client, str]]


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits, and no limit on tries stops what is tried here."""
    for module in (apply, apply_check, draft, invited):
        monkeypatch.setattr(module, "NEUTRAL_SECONDS", 0.0)
    monkeypatch.setattr("portal.views.draft.ASKED_AN_HOUR", 10_000)
    monkeypatch.setattr("portal.views.waiting.TRIES_AN_HOUR", 10_000)
    monkeypatch.setattr("partners.drafts.BEGUN_AN_HOUR", 10_000)


@pytest.fixture
def scene(newcomer: Scene) -> Scene:
    """A partner of a program with terms and a form that asks everything, by questions of every kind."""
    program = newcomer.house.program
    TermsVersionFactory(published=True, program=program, number=1)
    ours = ["street", "postcode", "town", "vat_number"], ["channels", "references"]
    pair = (Choice("a", {"en": "A"}), Choice("b", {"en": "B"}))
    asked = [Question(key=key, kind=STANDARD, step="you") for key in ours[0]]
    known = {each.key for each in standard_for(program).questions}
    asked += [Question(key=key, kind=STANDARD, step="audience") for key in ours[1]]
    asked += [
        Question(
            key=f"own_{kind}",
            kind=kind,
            step="audience",
            label={"en": f"Own {kind}"},
            choices=pair if kind in ("choice", "multiple") else (),
        )
        for kind in OWN_KINDS
    ]
    whole = Definition(
        (*standard_for(program).questions, *(each for each in asked if each.key not in known)),
        standard_for(program).partnership_types,
    )
    FormVersionFactory(program=program, number=1, published=True, definition=whole.as_json())
    return newcomer


def path(scene: Scene, rest: str = "") -> str:
    return f"/p/{scene.house.program.slug}/apply/{rest}"


def about_you(scene: Scene) -> tuple[Client, str]:
    return Client(), path(scene, "you/")


def about_readers(scene: Scene) -> tuple[Client, str]:
    client = Client()
    assert client.post(path(scene, "you/"), applying.YOU).status_code == 302
    return client, path(scene, "audience/")


def before_sending(scene: Scene) -> tuple[Client, str]:
    client, address = about_readers(scene)
    client.post(address, applying.AUDIENCE)
    Application.objects.update(email_confirmed_at=timezone.now())
    return client, path(scene, "check/")


def status_page(scene: Scene) -> tuple[Client, str]:
    made = ApplicationFactory(program=scene.house.program, submitted_at=timezone.now())
    return Client(), f"/application/{status_token(made)}/"


def reference_page(scene: Scene) -> tuple[Client, str]:
    made = ReferenceFactory(application__program=scene.house.program)
    references.ask(made, by=mats(), at=timezone.now())
    text = OutgoingMail.objects.get(kind="reference_request").text
    word = text.partition("/application/reference/")[2].partition("/")[0]
    return Client(), f"/application/reference/{word}/"


def waiting(scene: Scene) -> tuple[Client, str]:
    scene.house.program.is_open = False
    scene.house.program.save()
    return Client(), f"/p/{scene.house.program.slug}/"


def fresh_link(scene: Scene) -> tuple[Client, str]:
    return Client(), "/application/link/"


def invitation(scene: Scene) -> tuple[Client, str]:
    guest = invitations.Guest("ines@rocha.example", "Inês", "Rocha Gifts", "en", "Hello!", "Only you.")
    made = invitations.invite(
        scene.house.program, guest=guest, tier=scene.house.tier, by=mats(), at=timezone.now()
    )
    return Client(), f"/invited/{word_of(made)}/"


def fresh_invitation(scene: Scene) -> tuple[Client, str]:
    return Client(), "/invited/again/"


def introduce(scene: Scene) -> tuple[Client, str]:
    return signed_in(scene), reverse("portal:introduce")


def wish(scene: Scene) -> tuple[Client, str]:
    return signed_in(scene), reverse("portal:introduction_wish")


def clause(scene: Scene) -> tuple[Client, str]:
    return signed_in(scene), reverse("portal:terms")


def amendment(scene: Scene) -> tuple[Client, str]:
    made = amendments.propose(
        scene.membership, title="Portugal", text="Only Ana.", effective_on=None, by=mats(), at=timezone.now()
    )
    return signed_in(scene), reverse("portal:amendment", args=[made.public_id])


def business_plan(scene: Scene) -> tuple[Client, str]:
    found = outlined(house=scene.house)
    plans.propose(found.plan, by=mats(), at=JAN_2)
    return signed_in(scene), reverse("portal:plan", args=[found.plan.public_id])


def person_add(scene: Scene) -> tuple[Client, str]:
    return signed_in(scene), reverse("portal:staff_add")


def person_change(scene: Scene) -> tuple[Client, str]:
    made = StaffFactory.create(partner=scene.membership.partner)
    return signed_in(scene), reverse("portal:staff_change", args=[made.public_id])


def proof(scene: Scene) -> tuple[Client, str]:
    CertificationFactory.create(program=scene.house.program, takes_proof=True)
    made = StaffFactory.create(partner=scene.membership.partner)
    return signed_in(scene), reverse("portal:staff_proof", args=[made.public_id])


def activity(scene: Scene) -> tuple[Client, str]:
    return signed_in(scene), reverse("portal:activity_new")


def activity_change(scene: Scene) -> tuple[Client, str]:
    made = ActivityFactory.create(membership=scene.membership, told_by=scene.ana)
    return signed_in(scene), reverse("portal:activity_change", args=[made.public_id])


def appeal(scene: Scene) -> tuple[Client, str]:
    now = timezone.now()
    program = scene.house.program
    made = TierReviewFactory.create(
        round__program=program,
        round__scheme=schemes.in_force(program, at=now),
        membership=scene.membership,
        from_tier=Tier.objects.get(program=program, key="silver"),
        to_tier=scene.house.tier,
        outcome="down",
        state="in_grace",
        notified_at=now,
        grace_ends_at=now + timedelta(days=30),
        appeal_ends_at=now + timedelta(days=14),
    )
    return signed_in(scene), reverse("portal:tier_review", args=[made.public_id])


def profile(scene: Scene) -> tuple[Client, str]:
    return signed_in(scene), reverse("portal:profile_change")


def team(scene: Scene) -> tuple[Client, str]:
    return signed_in(scene), reverse("portal:team_invite")


def leave(scene: Scene) -> tuple[Client, str]:
    return signed_in(scene), reverse("portal:leave")


def builder(page: str) -> Place:
    def place(scene: Scene) -> tuple[Client, str]:
        made = publishing.draft(
            scene.house.program, definition=standard_for(scene.house.program), by=ada(), at=timezone.now()
        )
        return at_desk(ada()), reverse(f"admin:partners_formversion_{page}", args=[made.pk])

    return place


def desk(address: str) -> Place:
    return lambda scene: (at_desk(ada()), address.format(program=scene.house.program.pk))


def prospect(scene: Scene) -> tuple[Client, str]:
    made = ProspectFactory(program=scene.house.program)
    return at_desk(mats()), reverse("admin:partners_prospect_change", args=[made.pk])


def application(scene: Scene) -> tuple[Client, str]:
    made = ApplicationFactory(program=scene.house.program, submitted_at=timezone.now())
    return at_desk(mats()), reverse("admin:partners_application_change", args=[made.pk])


def terms(scene: Scene) -> tuple[Client, str]:
    made = TermsVersionFactory(program=scene.house.program, number=2)
    return at_desk(ada()), reverse("admin:partners_termsversion_change", args=[made.pk])


def amendment_desk(scene: Scene) -> tuple[Client, str]:
    return at_desk(mats()), f"/admin/partners/amendment/of/{scene.membership.pk}/new/"


PLACES: list[Place] = [
    about_you,
    about_readers,
    before_sending,
    status_page,
    reference_page,
    waiting,
    fresh_link,
    invitation,
    fresh_invitation,
    introduce,
    wish,
    clause,
    amendment,
    business_plan,
    person_add,
    person_change,
    proof,
    activity,
    activity_change,
    appeal,
    profile,
    team,
    leave,
    prospect,
    application,
    terms,
    amendment_desk,
]
DESKS = {
    "questions": builder("add_question"),
    "top of the form": builder("top"),
    "a prospect": desk("/admin/partners/prospect/add/"),
    "an invitation": desk("/admin/partners/programinvitation/add/"),
    "a list": desk("/admin/partners/programinvitation/list/"),
    "a recruiting link": desk("/admin/partners/recruitinglink/add/"),
    "a block": desk("/admin/partners/blocked/add/"),
    "a rule": desk("/admin/partners/eligibilityrule/add/?program={program}"),
    "a resource": desk("/admin/partners/programresource/add/"),
    "a first step": desk("/admin/partners/onboardingstep/add/"),
    "by hand": desk("/admin/tiers/program/{program}/enter/"),
    "the program page": desk("/admin/tiers/program/{program}/page/en/"),
}


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
def test_no_page_of_people_breaks_or_comes_alive(scene: Scene, place: Place) -> None:
    client, address = place(scene)
    assert attack(client, address) == []
    assert wrong_mails() == []


@pytest.mark.parametrize("place", DESKS.values(), ids=DESKS)
def test_no_page_of_staff_breaks_or_comes_alive(scene: Scene, place: Place) -> None:
    client, address = place(scene)
    assert attack(client, address) == []
    assert wrong_mails() == []


def test_a_quiz_takes_nothing_that_is_no_choice(scene: Scene) -> None:
    course = CourseFactory.create(certification__program=scene.house.program)
    made = LessonFactory.create(course=course, kind="quiz", body={}, questions=QUESTIONS)
    client, address = signed_in(scene), reverse("portal:training_lesson", args=[made.public_id])
    [form] = forms_of(client.get(address), address)
    right = {**form.values, "q0": ["0"], "q1": ["1"], "q2": ["0", "1"]}
    for odd in ("3", "-1", "1e0", "\u0660", "a\0b", "9" * 400, ILLEGAL[1], *LEGAL[:2]):
        for name in ("q0", "q2", "seen"):
            answer = post(client, form.action, {**right, name: [odd]})
            assert (answer.status_code, alive(answer.content)) == (422, []), (name, odd)
    assert not LessonAttempt.objects.exists()
    assert post(client, form.action, right).status_code == 302
