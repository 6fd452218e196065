"""The list of a partner's people: kept by pages, with shares, what they fall to, and certificates of others."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from partners.certification import credentials
from partners.models import Credential, Staff
from tests.certified import PDF, School, open_school
from tests.desk import links, words
from tests.factories.partners import MemberFactory
from tests.factories.tiering import CredentialFactory, StaffFactory, TierSchemeFactory
from tests.factories.tiers import TierFactory
from tests.pages import submit, went_on
from tests.people import ana
from tiers import qualify
from tiers.qualify import Question, Requirement, Scheme
from tiers.qualify.scheme import AT_LEAST, Ask

pytestmark = pytest.mark.django_db


@pytest.fixture
def school() -> School:
    return open_school(valid_months=12, takes_proof=True)


@pytest.fixture
def client(school: School) -> Client:
    client = Client()
    client.force_login(ana())
    return client


def as_role(role: str, school: School) -> Client:
    client = Client()
    client.force_login(MemberFactory.create(partner=school.partner, role=role).user)
    return client


def test_people_are_added_changed_left_and_put_back(school: School, client: Client) -> None:
    assert "Nobody is on the list yet" in words(client.get("/portal/people/"))
    given = {"full_name": "<b>Karl</b>", "role": "sales", "email": "karl@x.example", "country": "France"}
    went_on(submit(client, "/portal/people/add/", given))
    row = Staff.objects.get()
    assert "&lt;b&gt;Karl" in client.get("/portal/people/").content.decode()
    refused = submit(client, "/portal/people/add/", given)
    assert (refused.status_code, "on the list already" in words(refused)) == (422, True)
    page = f"/portal/people/{row.public_id}/"
    went_on(submit(client, f"{page}change/", full_name="Karl Weber", member=school.member.public_id))
    row.refresh_from_db()
    assert (row.full_name, row.member) == ("Karl Weber", school.member)
    leaving = words(client.get(f"{page}left/"))
    assert "Certified now: 0 of 1 person (0%)" in leaving
    went_on(submit(client, f"{page}left/"))
    assert "Who has left" in words(client.get("/portal/people/"))
    went_on(submit(client, page, form="back"))
    row.refresh_from_db()
    assert row.left_at is None


def test_shares_say_what_a_tier_asks_and_what_they_fall_to(school: School, client: Client) -> None:
    today = timezone.localdate()
    people = StaffFactory.create_batch(23, partner=school.partner)
    for place, each in enumerate(people[:17]):
        CredentialFactory.create(
            staff=each,
            certification=school.certification,
            earned_on=today - timedelta(days=30),
            expires_on=today + timedelta(days=43 if place == 0 else 400),
        )
    gold = TierFactory.create(program=school.program, key="gold", name="Gold", rank=1)
    asked = Requirement("team", Question("certified_ratio"), AT_LEAST, Fraction(80))
    TierSchemeFactory.create(
        program=school.program,
        published=True,
        definition=qualify.dump(Scheme(asks={gold.key: Ask((asked,))})),
    )
    said = words(client.get("/portal/people/"))
    # 17/23 is 73.91 %: shown rounded down. 80 % of 23 are 18.4, so 19 are needed.
    assert "17 of 23 people (73.9%)" in said
    assert "Gold asks: " in said
    assert "2 more people are needed." in said
    assert "In 43 days you fall to 69.5%." in said


@pytest.mark.parametrize("role", ["finance", "read_only"])
def test_who_does_not_keep_the_list_reads_it(school: School, role: str) -> None:
    row = StaffFactory.create(partner=school.partner)
    client = as_role(role, school)
    page = f"/portal/people/{row.public_id}/"
    assert client.get("/portal/people/").status_code == client.get(page).status_code == 200
    for address in ("/portal/people/add/", f"{page}change/", f"{page}left/", f"{page}certificate/"):
        assert client.get(address).status_code == 403, address
    assert client.post(f"{page}back/").status_code == 403


def test_people_and_certificates_of_another_partner_are_not_found(school: School, client: Client) -> None:
    foreign = StaffFactory.create()
    held = CredentialFactory.create(
        staff=foreign, certification=school.certification, proof="proofs/x.pdf", proof_name="x.pdf"
    )
    page = f"/portal/people/{foreign.public_id}/"
    for address in (page, f"{page}change/", f"{page}left/", f"{page}certificate/"):
        assert client.get(address).status_code == 404, address
    assert client.post(f"{page}left/").status_code == client.post(f"{page}back/").status_code == 404
    assert client.get(f"/portal/people/certificates/{held.public_id}/").status_code == 404
    # Nor can a member of another team be named as the one who signs in.
    mine = StaffFactory.create(partner=school.partner)
    stranger = MemberFactory.create()
    answer = submit(client, f"/portal/people/{mine.public_id}/change/", member=stranger.public_id)
    assert answer.status_code == 422
    mine.refresh_from_db()
    assert mine.member is None


def test_a_certificate_is_handed_in_shown_to_its_person_and_to_no_other_reader(school: School) -> None:
    reader = MemberFactory.create(partner=school.partner, role="read_only")
    own = StaffFactory.create(partner=school.partner, member=reader)
    client = Client()
    client.force_login(reader.user)
    page = f"/portal/people/{own.public_id}/"
    today = timezone.localdate()
    given = {
        "certification": school.certification.public_id,
        "issuer": "Chamber",
        "earned_on": today.isoformat(),
        "valid_until": (today + timedelta(days=10)).isoformat(),
    }
    without = submit(client, f"{page}certificate/", given)
    assert (without.status_code, "Choose the certificate as a file" in words(without)) == (422, True)
    wrong = submit(client, f"{page}certificate/", given, file=SimpleUploadedFile("a.pdf", b"PK\x03\x04"))
    assert wrong.status_code == 422
    went_on(submit(client, f"{page}certificate/", given, file=SimpleUploadedFile("a.pdf", PDF)))
    held = Credential.objects.get()
    # Valid until a day includes it.
    assert (held.state, held.expires_on) == ("waiting", today + timedelta(days=11))
    assert "Being checked" in words(client.get(page))
    address = f"/portal/people/certificates/{held.public_id}/"
    assert address in links(client.get(page))
    assert client.get(address).getvalue() == PDF  # type: ignore[attr-defined]
    other = as_role("read_only", school)
    assert (other.get(address).status_code, address in links(other.get(page))) == (404, False)


def test_the_list_asks_no_more_questions_with_more_people(
    school: School, client: Client, django_assert_max_num_queries: object
) -> None:
    client.get("/portal/people/")
    for each in StaffFactory.create_batch(12, partner=school.partner):
        credentials_of(each, school)
    with django_assert_max_num_queries(25):  # type: ignore[operator]
        client.get("/portal/people/")


def credentials_of(person: Staff, school: School) -> None:
    proof = ContentFile(PDF, "a.pdf")
    credentials.hand_in_proof(
        school.certification,
        person,
        file=proof,
        issuer="Chamber",
        earned_on=timezone.localdate(),
        by=ana(),
        at=timezone.now(),
    )
