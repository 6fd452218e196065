"""Terms in the portal and for strangers: read by the whole team, accepted by an owner, compared and printed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from partners import amendments, clause_questions, terms
from partners.choices import TeamRole
from partners.models import Acceptance, Amendment, ClauseQuestion, TermsVersion
from tests.desk import links, words
from tests.factories.partners import TermsVersionFactory
from tests.factories.prm import UserFactory
from tests.people import ada, mats
from tests.portal.conftest import signed_in
from tests.portal.scene import JOINED, NOW, Scene
from tests.portal.test_team_pages import join

pytestmark = pytest.mark.django_db
ACCEPT = "/portal/terms/accept/"


@pytest.fixture
def coming(newcomer: Scene) -> TermsVersion:
    """Version 1 which Ana accepted, and version 2 with another support, in force in 31 days."""
    program = newcomer.house.program
    first = TermsVersionFactory(published=True, program=program, number=1)
    terms.accept(first, name="Ana Prado", email="ana@x.example", at=JOINED, membership=newcomer.membership)
    draft = terms.draft_from_current(program, by=ada(), at=NOW)
    terms.edit(draft, values={"support": "An account manager answers within one day."}, by=ada(), at=NOW)
    return terms.publish(draft, effective_at=NOW + timedelta(days=31), by=ada(), at=NOW)


def read(client: Client, path: str = "/portal/terms/") -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return words(answer)


def test_every_page_says_that_terms_wait_until_an_owner_has_accepted(
    newcomer: Scene, coming: TermsVersion
) -> None:
    client = signed_in(newcomer)
    # 20 June and 31 days
    assert "Other terms are in force from 21 July 2026 on." in read(client, "/portal/team/")
    text = read(client)
    assert "To accept: version 2" in text and "In force now: version 1" in text
    assert "Support offered What is struck through went" in text
    assert "Please accept until 20 Aug 2026" in text  # 30 days from 21 July
    missing = client.post(ACCEPT, {"shown": coming.sha256})
    assert missing.status_code == 422 and "Tick the box to accept the terms." in words(missing)
    stale = client.post(ACCEPT, {"shown": "0" * 64, "accept": "on"})
    assert stale.status_code == 409 and "Other terms are to be accepted by now" in words(stale)
    done = client.post(ACCEPT, {"shown": coming.sha256, "accept": "on"}, follow=True)
    assert "The terms are accepted." in words(done)
    acceptance = Acceptance.objects.get(terms_version=coming)
    assert (acceptance.person, acceptance.membership) == (newcomer.ana, newcomer.membership)
    assert acceptance.address == "127.0.0.1"
    assert "Other terms" not in read(client, "/portal/team/")
    assert "To accept" not in read(client)


@pytest.mark.parametrize("role", [role for role in TeamRole if role != TeamRole.OWNER])
def test_the_team_reads_and_only_owners_accept(newcomer: Scene, coming: TermsVersion, role: TeamRole) -> None:
    amendment = amendments.propose(
        newcomer.membership, title="T", text="x", effective_on=None, by=mats(), at=NOW
    )
    _member, client = join(newcomer, role)
    assert "Only an owner of your team can accept." in read(client)
    assert client.post(ACCEPT, {"shown": coming.sha256, "accept": "on"}).status_code == 403
    address = f"/portal/terms/amendments/{amendment.public_id}/"
    assert "Only an owner of your team can answer." in read(client, address)
    for act in ("accept/", "decline/"):
        assert client.post(address + act, {"shown": amendment.sha256, "note": "No"}).status_code == 403
    assert not Acceptance.objects.filter(terms_version=coming).exists()


def test_a_question_is_asked_answered_and_withdrawn(newcomer: Scene, coming: TermsVersion) -> None:
    client = signed_in(newcomer)
    empty = client.post("/portal/terms/ask/", {"section": "support", "text": ""})
    assert empty.status_code == 422 and "There is 1 thing to fix" in words(empty)
    client.post("/portal/terms/ask/", {"section": "support", "text": "At night too?"})
    question = ClauseQuestion.objects.get()
    assert question.terms_version == coming
    text = read(client)
    assert "At night too?" in text and "no deadline runs" in text and "Accept the terms" not in text
    refused = client.post(ACCEPT, {"shown": coming.sha256, "accept": "on"})
    assert refused.status_code == 409 and "is open" in words(refused)
    address = f"/portal/terms/questions/{question.public_id}/withdraw/"
    stranger = Client()
    eve = UserFactory.create(email="eve@rival.example")
    newcomer.house.member("RIVAL", at=JOINED, owner=eve)
    stranger.force_login(eve)
    assert stranger.post(address).status_code == 404
    client.post(address)
    question.refresh_from_db()
    assert question.withdrawn_at == NOW
    second = clause_questions.ask(
        newcomer.membership, version=coming, section="support", text="And now?", by=newcomer.ana, at=NOW
    )
    clause_questions.answer(second, text="By day.", by=mats(), at=NOW)
    assert "By day." in read(client)


def test_an_amendment_is_accepted_or_declined_with_a_note(newcomer: Scene) -> None:
    client = signed_in(newcomer)
    made = [
        amendments.propose(newcomer.membership, title=f"T{n}", text="x", effective_on=None, by=mats(), at=NOW)
        for n in (1, 2)
    ]
    yes, no = (f"/portal/terms/amendments/{each.public_id}/" for each in made)
    assert yes in links(client.get("/portal/terms/"))
    client.post(yes + "accept/", {"shown": made[0].sha256})
    assert client.post(no + "decline/", {"note": " "}).status_code == 422
    client.post(no + "decline/", {"note": "Not now."})
    assert list(Amendment.objects.order_by("number").values_list("state", flat=True)) == [
        "accepted",
        "declined",
    ]
    assert "Accepted by Ana Prado" in read(client, yes) and "Not now." in read(client, no)
    assert client.get("/portal/terms/amendments/amd_none/").status_code == 404


@pytest.mark.needs_pango
def test_versions_are_compared_and_printed_in_the_portal_and_by_strangers(
    newcomer: Scene, coming: TermsVersion
) -> None:
    client, stranger = signed_in(newcomer), Client()
    public = f"/p/{newcomer.house.program.slug}/terms/"
    for reader, page in (
        (client, "/portal/terms/versions/2/?against=1"),
        (stranger, f"{public}?version=2&against=1"),
    ):
        answer = reader.get(page)
        body = answer.content.decode()
        assert "Version 1 against version 2" in words(answer)
        assert "<del>two working days.</del>" in body and "<ins>one day.</ins>" in body
    # Asked for the other way round, the earlier one is still what went.
    swapped = stranger.get(f"{public}?version=1&against=2").content.decode()
    assert "<del>two working days.</del>" in swapped
    files = ("/portal/terms/versions/2.pdf", "/portal/terms/agreement.pdf")
    for reader, file in [(client, files[0]), (client, files[1]), (stranger, f"{public}1.pdf")]:
        answer = reader.get(file)
        assert answer["Content-Type"] == "application/pdf" and "attachment" in answer["Content-Disposition"]
        assert answer.content.startswith(b"%PDF")
    assert client.get("/portal/terms/versions/9/").status_code == 404
    assert stranger.get(f"{public}9.pdf").status_code == 404
