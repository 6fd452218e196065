"""Links with a secret word: altered, expired, of another row or used before they open nothing, and a page that takes an address answers
everybody alike. What stands behind a link is kept by no cache, no search engine and no other site."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from partners import invitations, references, team, tokens
from partners.choices import TeamRole
from partners.invitation_rows import word_of
from partners.models import Application, Reference, WaitingMailbox
from portal.views import apply, apply_check, draft, invited
from prm.mail.models import OutgoingMail
from tests import applying
from tests.desk import words
from tests.factories.partners import ApplicationFactory, MemberFactory, TermsVersionFactory
from tests.factories.recruiting import ReferenceFactory
from tests.house import House, open_house
from tests.people import ana, mats

pytestmark = pytest.mark.django_db
KNOWN, UNKNOWN = "ana@lima.example", "eve@lima.example"


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (apply, apply_check, draft, invited):
        monkeypatch.setattr(module, "NEUTRAL_SECONDS", 0.0)


@pytest.fixture
def house() -> House:
    house = open_house()
    TermsVersionFactory(published=True, program=house.program)
    return house


def links(house: House) -> dict[str, str]:
    """Return a living link of each kind."""
    now, program = timezone.now(), house.program
    application = ApplicationFactory(program=program, email=KNOWN, submitted_at=now)
    reference = ReferenceFactory(application=application)
    references.ask(reference, by=mats(), at=now)
    text = OutgoingMail.objects.get(kind="reference_request").text
    guest = invitations.Guest("ines@rocha.example")
    invitation = invitations.invite(program, guest=guest, tier=house.tier, by=mats(), at=now)
    membership = house.member("ANA10", owner=ana())
    _made, word = team.invite(
        membership.partner, email="bo@x.example", role=TeamRole.FINANCE, by=ana(), at=now
    )
    visitor = Client()
    visitor.post(f"/p/{program.slug}/apply/you/", {**applying.YOU, "email": "d@x.example"})
    begun = Application.objects.get(state="draft")
    return {
        "application": f"/application/{tokens.status_token(application)}/",
        "withdraw": f"/application/{tokens.status_token(application)}/withdraw/",
        "reference": f"/application/reference/{text.partition('/application/reference/')[2].partition('/')[0]}/",
        "invited": f"/invited/{word_of(invitation)}/",
        "team": f"/invitation/{word}/",
        "draft": f"/application/draft/{tokens.mailed_draft_token(begun)}/",
    }


def altered(path: str) -> str:
    """Return the path with one letter in the middle of its word changed."""
    parts = path.split("/")
    at = max(range(len(parts)), key=lambda number: len(parts[number]))
    word = parts[at]
    middle = 20
    parts[at] = word[:middle] + ("A" if word[middle] != "A" else "B") + word[middle + 1 :]
    return "/".join(parts)


def test_what_stands_behind_a_link_stays_there(client: Client, house: House) -> None:
    for kind, path in links(house).items():
        for address in (path, altered(path)):
            answer = client.get(address)
            assert answer.status_code == (200 if address == path else 410), (kind, answer.status_code)
            assert "noindex" in answer["X-Robots-Tag"], kind
            assert "no-store" in answer["Cache-Control"], kind
            assert answer["Referrer-Policy"] == "same-origin", kind


def test_robots_are_kept_from_every_link(client: Client, house: House) -> None:
    closed = [
        line.removeprefix("Disallow: ") for line in client.get("/robots.txt").content.decode().splitlines()
    ]
    for kind, path in links(house).items():
        assert any(path.startswith(each) for each in closed if each.startswith("/")), kind


def test_an_altered_link_does_nothing_by_any_button(client: Client, house: House) -> None:
    mails = 0
    for kind, path in links(house).items():
        mails = mails or OutgoingMail.objects.count()
        wrong = altered(path)
        for data in ({}, {"action": "confirm"}, {"text": "Hello"}, {"answer": "confirmed"}, {"fresh": "1"}):
            answer = client.post(wrong, data)
            # A form that lacks something says so before it looks at the link, in the page of a link that opens nothing.
            assert answer.status_code == 410, (kind, data, answer.status_code)
    assert not Reference.objects.exclude(answer="").exists()
    assert set(Application.objects.values_list("state", flat=True)) == {"submitted", "draft"}
    assert OutgoingMail.objects.count() == mails


def test_a_word_of_one_kind_opens_no_other(client: Client, house: House) -> None:
    made = links(house)
    secret = {kind: max(path.split("/"), key=len) for kind, path in made.items()}
    patterns = {
        "application": "/application/{}/",
        "reference": "/application/reference/{}/",
        "invited": "/invited/{}/",
        "team": "/invitation/{}/",
        "draft": "/application/draft/{}/",
    }
    for kind, pattern in patterns.items():
        for other, word in secret.items():
            if other not in (kind, "withdraw") or (other, kind) == ("withdraw", "draft"):
                assert client.get(pattern.format(word)).status_code == 410, (kind, other)
    # The word this browser holds for a draft is not the one that opens the application it becomes.
    begun = Application.objects.get(state="draft")
    assert client.get(f"/application/{tokens.draft_token(begun)}/").status_code == 410


def test_links_that_expired_or_were_used_say_so(client: Client, house: House) -> None:
    made = links(house)
    client.post(made["reference"], {"answer": "confirmed", "comment": ""})
    assert client.post(made["reference"], {"answer": "denied", "comment": ""}).status_code == 409
    assert Reference.objects.get().answer == "confirmed"
    client.post(made["withdraw"])
    client.post(made["withdraw"])
    assert Application.objects.get(email=KNOWN).state == "withdrawn"
    assert client.get(made["reference"]).status_code == 410  # nobody needs it any more
    Application.objects.filter(email=KNOWN).update(changed_at=timezone.now() - timedelta(days=91))
    assert client.get(made["application"]).status_code == 410
    client.post(made["team"])
    assert client.get(made["team"]).status_code == 410
    assert client.post(made["team"], {"fresh": "1"}).status_code == 410


def same(answers: list[HttpResponse]) -> bool:
    said = {(each.status_code, each.get("Location", ""), words(each)) for each in answers}
    return len(said) == 1


def test_known_and_unknown_mailboxes_get_the_same_answer(house: House) -> None:
    slug = house.program.slug
    ApplicationFactory(program=house.program, email=KNOWN, submitted_at=timezone.now())
    member = house.member("ANA10", owner=ana())
    MemberFactory(partner=member.partner)
    pages, sent = [], []
    for email in (KNOWN, UNKNOWN, ana().email):
        visitor = Client()
        page = applying.fill_in(visitor, slug, email=email)
        sent.append(applying.send(visitor, slug, page))
        said = words(visitor.get(f"/p/{slug}/apply/sent/")).replace(email, "")
        reference = visitor.session[f"applied:{house.program.pk}"]["reference"]
        pages.append(said.replace(reference, ""))
        again = visitor.post(f"/p/{slug}/apply/sent/")
        pages[-1] += f" {again.status_code} {again['Location']}"
    assert same(sent)
    assert len(set(pages)) == 1
    for address in ("/application/link/", "/invited/again/"):
        answers = [
            words(Client().post(address, {"email": email}, follow=True)).replace(email, "")
            for email in (KNOWN, UNKNOWN)
        ]
        assert len(set(answers)) == 1, address


def test_who_waits_twice_is_told_what_everybody_is_told(house: House) -> None:
    house.program.is_open = False
    house.program.save()
    address = f"/p/{house.program.slug}/waiting/"
    answers = [
        words(Client().post(address, {"email": email}, follow=True))
        for email in (KNOWN, KNOWN.upper(), UNKNOWN)
    ]
    assert len(set(answers)) == 1
    assert WaitingMailbox.objects.count() == 2
