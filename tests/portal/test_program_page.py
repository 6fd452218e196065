"""The public page of a program: who comes by which link, what is said in which language, how one waits, and what search engines are told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from django.core.cache import cache
from django.db import DatabaseError
from django.test import Client, RequestFactory
from django.utils import timezone

from partners import visits
from partners.models import Placement, ProgramVisit, RecruitingLink, WaitingMailbox
from portal.visitors import source_of
from tests.desk import at_desk, words
from tests.factories.money_rows import FxRateFactory
from tests.factories.partners import PlacementFactory, TermsVersionFactory
from tests.factories.recruiting import ProgramTextFactory, RecruitingLinkFactory
from tests.factories.tiering import TierBenefitFactory
from tests.factories.tiers import EPOCH, ProgramFactory, TierFactory, published_plan
from tests.people import ada, mats
from tests.tier_asking import asks_revenue
from tiers.models import Program

pytestmark = pytest.mark.django_db
PERSON = "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0"
PAGE = "/p/affiliates/"


@pytest.fixture(autouse=True)
def fresh_counters() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def program() -> Program:
    program = ProgramFactory.create(slug="affiliates", name="Halden Affiliates")
    TermsVersionFactory.create(published=True, program=program, number=1)
    published_plan(program, by=ada())
    return program


@pytest.fixture
def closed(program: Program) -> Program:
    day = timezone.localdate() + timedelta(days=40)
    Program.objects.filter(pk=program.pk).update(is_open=False, reopens_on=day)
    program.refresh_from_db()
    return program


@pytest.fixture
def link(program: Program) -> RecruitingLink:
    made: RecruitingLink = RecruitingLinkFactory.create(program=program, key="post")
    return made


def reader(**headers: str) -> Client:
    return Client(headers={"user-agent": PERSON, **headers})


def counted() -> dict[str, int]:
    return dict(ProgramVisit.objects.values_list("source_key", "count"))


def test_a_person_is_counted_once_a_day_and_way(program: Program, link: RecruitingLink) -> None:
    client = reader()
    for _time in range(2):
        client.get(PAGE)
    for _time in range(2):
        client.get(f"{PAGE}?via=post")
    reader().get(f"{PAGE}?via=nonsense")
    assert counted() == {"": 2, "post": 1}


@pytest.mark.parametrize(
    "headers",
    [
        {"user-agent": "Googlebot/2.1 (+http://www.google.com/bot.html)"},
        {"user-agent": ""},
        {"sec-purpose": "prefetch;prerender"},
        {"purpose": "prefetch"},
    ],
)
def test_robots_and_pages_fetched_ahead_are_not_counted(program: Program, headers: dict[str, str]) -> None:
    assert reader(**headers).get(PAGE).status_code == 200
    reader().head(PAGE)
    staff = at_desk(mats())
    staff.get(PAGE, headers={"user-agent": PERSON})
    assert counted() == {}


def test_a_visit_costs_one_write_and_its_failure_nothing(
    program: Program, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    today = timezone.localdate()
    visits.count(program, on=today)
    with django_assert_num_queries(3):  # a savepoint around one write
        assert visits.count(program, on=today)

    def broken(*args: Any, **kwargs: Any) -> None:
        raise DatabaseError("the disk is full")

    monkeypatch.setattr(visits, "_add", broken)
    assert reader().get(PAGE).status_code == 200
    assert counted() == {"": 2}


def test_the_link_somebody_came_by_is_kept_until_they_apply(program: Program, link: RecruitingLink) -> None:
    client = reader()
    client.get(f"{PAGE}?via=post")
    client.get(f"{PAGE}?via=unknown")
    request = RequestFactory().get(f"{PAGE}apply/")
    request.session = client.session  # type: ignore[assignment]  # a store, as the middleware gives it
    assert source_of(request, program) == link
    assert source_of(request, ProgramFactory.create()) is None
    direct = RequestFactory().get(f"{PAGE}apply/?via=post")
    direct.session = Client().session  # type: ignore[assignment]
    assert source_of(direct, program) == link
    RecruitingLink.objects.update(retired_at=timezone.now())
    assert source_of(request, program) is None


def test_what_staff_wrote_is_marked_when_it_is_in_another_language(program: Program) -> None:
    ProgramTextFactory.create(
        program=program,
        headline="Earn with <gifts>",
        introduction="First.\n\nSecond.",
        faq=[{"question": "May I use ads?", "answer": "Not our name."}],
    )
    english = reader().get(PAGE).content.decode()
    assert "Earn with &lt;gifts&gt;" in english and "<p>Second.</p>" in english
    assert "Anybody who writes about gifts." in english and "People who write about software." not in english
    assert 'lang="en">Earn' not in english
    french = reader(**{"accept-language": "fr"}).get(PAGE).content.decode()
    assert '<p class="headline" lang="en">Earn with' in french
    assert '<div lang="en"><dt><strong>May I use ads?' in french


def test_how_one_is_paid_names_ways_and_currencies(program: Program) -> None:
    told = words(reader().get(PAGE))
    assert "Ways to be paid Bank account with IBAN, PayPal or Wise" in told
    assert "Currency GBP Your balance is kept in GBP." in told
    today = timezone.localdate()
    FxRateFactory.create(base="EUR", quote="USD", rate_on=today)
    FxRateFactory.create(base="EUR", quote="GBP", rate_on=today)
    told = words(reader().get(PAGE))
    assert "Currencies GBP, EUR or USD" in told and "US bank account" in told
    assert "the rate of the day on which payments are prepared counts" in told


def test_each_tier_says_what_it_asks_and_gives(program: Program) -> None:
    TierFactory.create(program=program, key="start", name="Registered", rank=1)
    gold = TierFactory.create(
        program=program, key="gold", name="Gold", rank=2, capacity=3, benefits="- A manager\n- Gifts"
    )
    asks_revenue(program, {"gold": 10_000_00})
    TierBenefitFactory.create(tier=gold, benefit__program=program, value={"en": "Within a day"})
    told = words(reader().get(PAGE))
    assert "What we ask Registered Everybody starts here" in told
    assert "Gold Net revenue of at least £10,000.00 in the last 12 months" in told
    assert "What you earn Registered 8% of every order Gold 8% of every order" in told
    assert "Support level Registered – Not in this tier Gold Within a day" in told
    assert "Also Registered – Not in this tier Gold A manager Gifts" in told
    assert "Places Registered No limit Gold Limited, places are free" in told


def test_a_tier_that_is_full_or_out_of_use_is_told_apart_and_tracks_are(program: Program) -> None:
    full = TierFactory.create(program=program, name="Gold", rank=2, capacity=1)
    placement = PlacementFactory.create(tier=full, membership__program=program)
    TierFactory.create(program=program, name="Platinum", rank=3, retired_at=EPOCH, retired_by=ada())
    TierFactory.create(program=program, name="Select", rank=1, track="Co-selling")
    told = words(reader().get(PAGE))
    assert "Gold Full at the moment" in told and "Platinum" not in told
    assert "Tiers: Co-selling" in told
    Placement.objects.filter(pk=placement.pk).update(ends_at=timezone.now())
    assert "Limited, places are free" in words(reader().get(PAGE))


def test_questions_go_to_the_program_or_to_its_legal_entity(program: Program) -> None:
    assert "mailto:partners@halden.example" in reader().get(PAGE).content.decode()
    Program.objects.update(contact_email="gifts@halden.example")
    assert "mailto:gifts@halden.example" in reader().get(PAGE).content.decode()


def test_a_closed_program_says_until_when_and_takes_an_address(closed: Program) -> None:
    page = reader().get(PAGE)
    assert "Applications are closed until" in words(page) and "Apply today" not in words(page)
    assert f"{PAGE}apply/" not in page.content.decode()
    answers = []
    for email in ("Jan@example.com", "jan@example.com"):
        client = reader()
        answered = client.post(f"{PAGE}waiting/", {"email": email}, follow=True)
        answers.append(words(answered).partition("Halden Affiliates – Halden")[2])
    assert "Thank you. We write to you once, when Halden Affiliates takes applications." in answers[0]
    assert answers[0] == answers[1]
    assert WaitingMailbox.objects.get().email == "Jan@example.com"


def test_an_address_that_is_none_is_refused_beside_its_field(closed: Program) -> None:
    page = reader().post(f"{PAGE}waiting/", {"email": "jan@"})
    assert page.status_code == 422
    text = page.content.decode()
    assert "<title>Error: " in text and 'href="#id_email"' in text and 'value="jan@"' in text
    assert not WaitingMailbox.objects.exists()


def test_a_trap_keeps_nothing_and_says_the_same(closed: Program) -> None:
    page = reader().post(f"{PAGE}waiting/", {"email": "a@b.example", "leave_empty": "x"}, follow=True)
    assert "Thank you." in words(page)
    assert not WaitingMailbox.objects.exists()


def test_one_network_asks_ten_times_an_hour(closed: Program) -> None:
    answers = [reader().post(f"{PAGE}waiting/", {"email": f"p{n}@x.example"}).status_code for n in range(11)]
    assert answers == [302] * 10 + [429]
    assert WaitingMailbox.objects.count() == 10


def test_an_open_program_lets_nobody_wait(program: Program) -> None:
    page = reader().post(f"{PAGE}waiting/", {"email": "jan@example.com"})
    assert (page.status_code, page["Location"]) == (302, PAGE)
    assert reader().get(f"{PAGE}waiting/").status_code == 302
    assert not WaitingMailbox.objects.exists()


def test_an_unknown_address_leads_to_the_programs_there_are(program: Program) -> None:
    ProgramFactory.create(slug="secret", name="Secret Guild", is_public=False)
    for slug in ("affiliats", "secret"):
        page = reader().get(f"/p/{slug}/")
        assert page.status_code == 404
        assert "Halden Affiliates" in words(page) and "Secret Guild" not in words(page)


def test_previews_are_told_name_offer_and_address(program: Program) -> None:
    page = reader().get(f"{PAGE}?via=whatever").content.decode()
    head = page.partition("</head>")[0]
    told = dict(re.findall(r'<meta (?:name|property)="([^"]+)" content="([^"]*)">', head))
    assert told["og:title"] == "Halden Affiliates"
    assert told["description"] == told["og:description"]
    assert told["description"].startswith("8% of every order, when the customer comes")
    assert '<link rel="canonical" href="http://testserver/p/affiliates/">' in head
    assert (told["og:type"], told["og:site_name"]) == ("website", "Halden")
    assert told["og:url"] == "http://testserver/p/affiliates/"


def test_search_engines_get_the_public_pages_and_no_others(program: Program) -> None:
    ProgramFactory.create(slug="bare")
    ProgramFactory.create(slug="secret", is_public=False)
    robots = reader().get("/robots.txt")
    assert robots["Content-Type"].startswith("text/plain")
    assert "Disallow: /application/" in robots.content.decode()
    assert "Sitemap: http://testserver/sitemap.xml" in robots.content.decode()
    sitemap = ElementTree.fromstring(reader().get("/sitemap.xml").content)
    found = {node.text for node in sitemap.iter() if node.tag.endswith("loc")}
    assert found == {
        "http://testserver/p/",
        "http://testserver/p/affiliates/",
        "http://testserver/p/affiliates/terms/",
        "http://testserver/p/bare/",
    }
