"""The back office's pages about certifications: courses and quizzes are built page by page, certificates checked, credentials granted and revoked
with what that does to a tier."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from partners import placement
from partners.certification import consequences, credentials, ordering
from partners.models import Certification, Course, Credential, Lesson, Membership, Staff
from prm.accounts.policy import Forbidden
from tests.desk import at_desk, words
from tests.factories.tiering import (
    CertificationFactory,
    CourseFactory,
    CredentialFactory,
    LessonFactory,
    StaffFactory,
    TierSchemeFactory,
)
from tests.factories.tiers import TierFactory
from tests.house import House, open_house
from tests.pages import submit, went_on
from tests.people import ana, fiona, mats
from tiers import qualify

pytestmark = pytest.mark.django_db
CERTIFICATIONS, CREDENTIALS, PEOPLE = (
    f"/admin/partners/{table}/" for table in ("certification", "credential", "staff")
)
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
NOW = timezone.now()
TODAY = NOW.date()
JOINED = NOW - timedelta(days=200)


@pytest.fixture
def house() -> House:
    house = open_house()
    house.member("ANA10", at=JOINED, owner=ana())
    return house


@pytest.fixture
def membership(house: House) -> Membership:
    return house.members["ANA10"]


@pytest.fixture
def desk() -> Client:
    return at_desk(mats())


def certification(house: House, **given: object) -> Certification:
    return CertificationFactory.create(program=house.program, key="sales-specialist", **given)


def people(membership: Membership, count: int) -> list[Staff]:
    return [StaffFactory(partner=membership.partner, added_at=JOINED) for _n in range(count)]


def held(known: Certification, person: Staff, *, days_ago: int = 10) -> Credential:
    return CredentialFactory.create(
        certification=known,
        staff=person,
        earned_on=TODAY - timedelta(days=days_ago),
        expires_on=TODAY + timedelta(days=365 - days_ago),
        given_at=NOW - timedelta(days=days_ago),
    )


def test_finance_looks_and_builds_nothing(house: House) -> None:
    known, client = certification(house), at_desk(fiona())
    course = CourseFactory(certification=known)
    assert client.get(f"{CERTIFICATIONS}{known.pk}/change/").status_code == 200
    assert "Add a course" not in words(client.get(f"{CERTIFICATIONS}{known.pk}/change/"))
    for closed in (
        "add/",
        f"{known.pk}/edit/",
        f"{known.pk}/close/",
        f"{known.pk}/course/",
        f"course/{course.pk}/open/",
    ):
        assert client.get(f"{CERTIFICATIONS}{closed}").status_code == 403
    with pytest.raises(Forbidden):
        ordering.move_course(course, is_up=True, by=fiona(), at=NOW)


def test_a_certification_is_built_opened_and_closed_without_a_script(house: House, desk: Client) -> None:
    given = {
        "program": house.program.pk,
        "key": "Sales Specialist",
        "name_en": "Sales specialist",
        "roles": ["sales"],
    }
    refused = submit(desk, f"{CERTIFICATIONS}add/", given)
    assert (refused.status_code, 'href="#id_key"' in refused.content.decode()) == (422, True)
    page = went_on(submit(desk, f"{CERTIFICATIONS}add/", {**given, "key": "sales-specialist"}))
    known = Certification.objects.get()
    assert (known.roles, known.valid_months) == (["sales"], None)
    course_page = went_on(
        submit(
            desk, f"{CERTIFICATIONS}{known.pk}/course/", title_en="Selling", title_fr="Vendre", pass_mark="70"
        )
    )
    course = Course.objects.get()
    opening = f"{CERTIFICATIONS}course/{course.pk}/open/"
    assert "A course without lessons cannot be opened" in words(desk.post(opening, follow=True))
    went_on(
        submit(
            desk, f"{CERTIFICATIONS}course/{course.pk}/lesson/text/", title_en="What sells", body_en="Kites."
        )
    )
    file = SimpleUploadedFile("prices.pdf", PDF)
    went_on(submit(desk, f"{CERTIFICATIONS}course/{course.pk}/lesson/file/", title_en="Prices", file=file))
    assert "What sells" in words(desk.get(course_page))
    went_on(desk.post(opening))
    assert "Open" in words(desk.get(page))
    sent = desk.get(f"{CERTIFICATIONS}lesson/{Lesson.objects.get(kind='file').pk}/file/")
    assert sent["Content-Disposition"] == 'attachment; filename="prices.pdf"'
    # Who has passed a course has passed it as it was: nothing comes or goes any more.
    late = submit(desk, f"{CERTIFICATIONS}course/{course.pk}/lesson/text/", title_en="More", body_en="More.")
    assert (late.status_code, Lesson.objects.count()) == (422, 2)
    went_on(desk.post(f"{CERTIFICATIONS}course/{course.pk}/close/"))
    went_on(desk.post(f"{CERTIFICATIONS}{known.pk}/close/"))
    known.refresh_from_db()
    assert known.retired_at is not None
    went_on(desk.post(f"{CERTIFICATIONS}{known.pk}/open/"))


def test_a_quiz_is_written_one_question_on_each_page(house: House, desk: Client) -> None:
    course = CourseFactory(certification=certification(house), state="draft")
    first = {
        "title_en": "Do you know?",
        "question_en": "What sells in spring?",
        "choice1_en": "Kites",
        "choice1_fr": "Des cerfs-volants",
        "choice2_en": "Candles",
    }
    adding = f"{CERTIFICATIONS}course/{course.pk}/lesson/quiz/"
    refused = submit(desk, adding, first)
    assert (refused.status_code, "Mark at least one choice as right" in words(refused)) == (422, True)
    assert "Des cerfs-volants" in refused.content.decode()
    page = went_on(submit(desk, adding, first, right1="on"))
    lesson = Lesson.objects.get()
    assert lesson.questions == [
        {
            "text": {"en": "What sells in spring?"},
            "choices": [
                {"text": {"en": "Kites", "fr": "Des cerfs-volants"}, "is_right": True},
                {"text": {"en": "Candles"}, "is_right": False},
            ],
        }
    ]
    second = {
        "question_en": "Which two float?",
        "choice1_en": "Cork",
        "choice3_en": "Wood",
        "choice8_en": "Lead",
    }
    went_on(submit(desk, f"{page}question/", second, right1="on", right3="on"))
    assert "Right: Cork; Wood" in words(desk.get(page))
    preview = desk.get(f"{CERTIFICATIONS}course/{course.pk}/preview/?language=fr")
    assert "Des cerfs-volants" in words(preview)
    assert preview.content.decode().count('type="checkbox" name="preview-1-2"') == 3
    # Two people at once: whoever saves second has read something else.
    old = desk.get(f"{page}question/1/")
    went_on(submit(desk, f"{page}question/1/", question_en="What sells in autumn?"))
    seen = old.context["seen"]
    beaten = desk.post(
        f"{page}question/1/",
        {"seen": seen, "question_en": "Mine", "choice1_en": "A", "choice2_en": "B", "right1": "on"},
    )
    assert (beaten.status_code, "Somebody has changed the questions" in words(beaten)) == (422, True)
    went_on(submit(desk, f"{page}question/1/remove/"))
    lesson.refresh_from_db()
    assert [each["text"]["en"] for each in lesson.questions] == ["Which two float?"]
    desk.post(f"{page}question/1/remove/", {"seen": desk.get(f"{page}question/1/").context["seen"]})
    lesson.refresh_from_db()
    assert len(lesson.questions) == 1  # the last one stays: a quiz asks something


def test_lessons_and_courses_change_places(house: House, desk: Client) -> None:
    course = CourseFactory(certification=certification(house))
    a, b, c = (LessonFactory(course=course, position=5, title={"en": name}) for name in "ABC")
    LessonFactory(course=course, position=1, removed_at=NOW)

    def order() -> list[str]:
        return [
            each.title["en"] for each in course.lessons.filter(removed_at=None).order_by("position", "pk")
        ]

    desk.post(f"{CERTIFICATIONS}lesson/{c.pk}/move/", {"to": "up"})
    assert order() == ["A", "C", "B"]
    desk.post(f"{CERTIFICATIONS}lesson/{a.pk}/move/", {"to": "up"})
    desk.post(f"{CERTIFICATIONS}lesson/{b.pk}/move/", {"to": "down"})
    assert order() == ["A", "C", "B"]
    other = CourseFactory(certification=course.certification, position=course.position)
    desk.post(f"{CERTIFICATIONS}course/{other.pk}/move/", {"to": "up"})
    placed = Course.objects.order_by("position", "pk").values_list("pk", "position")
    assert list(placed) == [(other.pk, 1), (course.pk, 2)]


def test_certificates_are_checked_one_after_the_other(
    house: House, membership: Membership, desk: Client
) -> None:
    known = certification(house, takes_proof=True)
    first, second = (
        credentials.hand_in_proof(
            known,
            person,
            file=ContentFile(PDF, "certificate.pdf"),
            issuer="Chamber",
            earned_on=TODAY - timedelta(days=3),
            by=ana(),
            at=NOW,
        )
        for person in people(membership, 2)
    )
    assert "2 certificates to check" in words(desk.get("/admin/"))
    proof = desk.get(f"{CREDENTIALS}{first.pk}/proof/")
    assert proof["Content-Disposition"] == 'attachment; filename="certificate.pdf"'
    following = went_on(desk.post(f"{CREDENTIALS}{first.pk}/accept/"))
    assert following == f"{CREDENTIALS}{second.pk}/change/"
    assert desk.post(f"{CREDENTIALS}{second.pk}/refuse/", {"reason": ""}).status_code == 422
    went_on(desk.post(f"{CREDENTIALS}{second.pk}/refuse/", {"reason": "It cannot be read."}))
    assert list(Credential.objects.order_by("pk").values_list("state", "reason")) == [
        ("valid", ""),
        ("refused", "It cannot be read."),
    ]
    desk.post(f"{CREDENTIALS}{second.pk}/accept/")
    second.refresh_from_db()
    assert second.state == "refused"


def gold(house: House, membership: Membership, *asked: qualify.Requirement) -> None:
    """Place the membership in a tier that asks something, on top of one that asks for everybody's half."""
    tier = TierFactory(program=house.program, key="gold", name="Gold", rank=2)
    scheme = qualify.Scheme(asks={"gold": qualify.Ask(asked)})
    TierSchemeFactory(
        program=house.program,
        published=True,
        definition=qualify.dump(scheme),
        effective_at=JOINED,
        published_at=JOINED,
    )
    placement.place(membership, tier=tier, by=mats(), at=NOW - timedelta(hours=1), because="test")


def asks(key: str, metric: str, threshold: int) -> qualify.Requirement:
    return qualify.Requirement(key, qualify.Question(metric), "at_least", Fraction(threshold))


def test_revoking_says_which_requirement_of_the_tier_is_no_longer_met(
    house: House, membership: Membership, desk: Client
) -> None:
    known, team = certification(house), people(membership, 4)
    gold(
        house,
        membership,
        asks("half", "certified_ratio", 50),
        asks("one", "certified_count", 1),
        asks("base", "installed_base", 3),
    )
    one, _two = (held(known, person) for person in team[:2])
    # 2 of 4 are certified: 50 %. Without one of them 1 of 4: 25 %, below the half that gold asks for.
    found = consequences.of_revoking(one, at=NOW)
    assert [(each.requirement.key, each.before, each.after, each.falls) for each in found] == [
        ("half", 50, 25, True),
        ("one", 2, 1, False),
    ]
    page = f"{CREDENTIALS}{one.pk}/revoke/"
    said = words(desk.get(page))
    assert "No longer met" in said
    assert "25%" in said
    assert submit(desk, page, reason=" ").status_code == 422
    went_on(submit(desk, page, reason="The exam was sat by somebody else."))
    one.refresh_from_db()
    assert (one.state, one.reason) == ("revoked", "The exam was sat by somebody else.")
    assert "Revoked" in words(desk.get(f"{CREDENTIALS}{one.pk}/change/"))


def test_whoever_holds_a_second_credential_stays_certified(house: House, membership: Membership) -> None:
    known, [person] = certification(house), people(membership, 1)
    gold(house, membership, asks("all", "certified_ratio", 100))
    first, _second = held(known, person, days_ago=100), held(known, person)
    [only] = consequences.of_revoking(first, at=NOW)
    assert (only.before, only.after, only.falls) == (100, 100, False)


def test_a_credential_is_granted_by_hand_and_shown_beside_the_partner(
    house: House, membership: Membership, desk: Client
) -> None:
    known, team = certification(house), people(membership, 4)
    certification_of_others = CertificationFactory()
    page = f"{PEOPLE}{team[0].pk}/grant/"
    assert certification_of_others.name["en"] in words(desk.get(page))
    wrong = submit(desk, page, certification=str(certification_of_others.pk))
    assert wrong.status_code == 422
    ahead = (TODAY + timedelta(days=2)).isoformat()
    assert submit(desk, page, certification=str(known.pk), earned_on=ahead).status_code == 422
    went_on(submit(desk, page, certification=str(known.pk)))
    assert Credential.objects.get().source == "granted"
    panel = words(desk.get(f"/admin/partners/partner/{membership.partner.pk}/change/"))
    assert "1 of 4 certified, 25%" in panel
    assert f"without {team[0].full_name}." in panel
    listed = words(desk.get(f"{PEOPLE}?certified=yes"))
    assert team[0].full_name in listed
    assert team[1].full_name not in listed


def test_the_file_holds_what_the_list_shows_and_no_formulas(
    house: House, membership: Membership, desk: Client
) -> None:
    known = certification(house)
    mine, other = StaffFactory(partner=membership.partner, full_name="=1+1"), StaffFactory()
    held(known, mine)
    CredentialFactory(
        certification=known, staff=other, state="revoked", reason="x", revoked_at=NOW, revoked_by=mats()
    )
    everything = b"".join(desk.get(f"{CREDENTIALS}file.csv").streaming_content).decode()
    assert "'=1+1" in everything
    assert other.full_name in everything
    some = b"".join(desk.get(f"{CREDENTIALS}file.csv?state__exact=valid").streaming_content).decode()
    assert other.full_name not in some
    assert len(some.splitlines()) == 2


def test_many_rows_are_looked_at_with_as_many_queries_as_few(
    house: House, membership: Membership, desk: Client
) -> None:
    known = certification(house)
    course = CourseFactory(certification=known)
    addresses = (
        CERTIFICATIONS,
        f"{CERTIFICATIONS}{known.pk}/change/",
        f"{CERTIFICATIONS}course/{course.pk}/",
        CREDENTIALS,
        PEOPLE,
        f"/admin/partners/partner/{membership.partner.pk}/change/",
    )

    def grow(count: int) -> None:
        for person in people(membership, count):
            held(known, person)
        for _n in range(count):
            LessonFactory(course=course)
            CourseFactory(certification=known)
            CertificationFactory(program=house.program)

    def queries() -> list[int]:
        counted = []
        for address in addresses:
            with CaptureQueriesContext(connection) as asked:
                assert desk.get(address).status_code == 200
            counted.append(len(asked))
        return counted

    grow(2)
    queries()
    few = queries()
    grow(3)
    assert queries() == few
