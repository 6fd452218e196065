"""The back office's pages about program pages, recruiting links and the funnel."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from partners.models import ProgramText, RecruitingLink
from tests.desk import at_desk, links, words
from tests.factories.partners import ApplicationFactory
from tests.factories.recruiting import ProgramVisitFactory, RecruitingLinkFactory, WaitingMailboxFactory
from tests.factories.tiers import ProgramFactory
from tests.partners.test_launching import ready
from tests.people import ada, fiona, mats

pytestmark = pytest.mark.django_db


def launch(pk: int) -> str:
    return reverse("admin:partners_launch", args=[pk])


def test_a_program_that_lacks_something_has_no_button_and_no_way_round() -> None:
    program = ProgramFactory.create(is_open=False)
    desk = at_desk(ada())
    page = desk.get(launch(program.pk))
    assert "Must be mended:" in words(page) and "then the button is here" in words(page)
    for address in sorted(
        found for found in links(page) if found.startswith("/admin/") and "program" in found
    ):
        assert desk.get(address).status_code == 200, address
    assert f"Open {program.name}" not in words(page)
    refused = desk.post(launch(program.pk))
    assert "The program cannot open yet. Missing: Terms, Plan, Tiers" in words(refused)
    program.refresh_from_db()
    assert not program.is_open


def test_a_ready_program_is_opened_and_closed_with_its_consequences() -> None:
    program = ready(name="Gift Circle")
    WaitingMailboxFactory.create(program=program)
    desk = at_desk(ada())
    page = words(desk.get(launch(program.pk)))
    assert "Open Gift Circle" in page and "1 mailbox that waits is written to once" in page
    assert desk.post(launch(program.pk)).status_code == 302
    ApplicationFactory.create(program=program)
    page = words(desk.get(launch(program.pk)))
    assert "Close Gift Circle" in page and "1 application that was sent is decided as before." in page
    late = desk.post(launch(program.pk), {"reopens_on": "2020-01-01"})
    assert late.status_code == 422 and "must lie ahead" in words(late)
    day = timezone.localdate() + timedelta(days=30)
    assert desk.post(launch(program.pk), {"reopens_on": day.isoformat()}).status_code == 302
    program.refresh_from_db()
    assert (program.is_open, program.reopens_on) == (False, day)


def test_an_account_manager_sees_readiness_and_opens_nothing() -> None:
    program = ready()
    desk = at_desk(mats())
    assert "Ready to open" in words(desk.get(launch(program.pk)))
    assert desk.post(launch(program.pk)).status_code == 403
    page = desk.get(reverse("admin:tiers_program_change", args=[program.pk]))
    assert launch(program.pk) in links(page) and "Texts of the program page" not in words(page)


def test_the_page_of_a_program_leads_to_readiness_and_texts() -> None:
    program = ready()
    page = at_desk(ada()).get(reverse("admin:tiers_program_change", args=[program.pk]))
    assert launch(program.pk) in links(page)
    assert reverse("admin:partners_program_page", args=[program.pk, "fr"]) in links(page)
    assert 'name="is_open"' not in page.content.decode()
    assert 'name="most_partners"' in page.content.decode()


def test_texts_are_written_by_language_with_their_questions() -> None:
    program = ProgramFactory.create()
    desk, url = at_desk(ada()), reverse("admin:partners_program_page", args=[program.pk, "fr"])
    half = desk.post(url, {"headline": "Gagnez", "question_1": "Pourquoi ?", "answer_1": ""})
    assert (
        half.status_code == 422
        and "Write the answer" in words(half)
        and 'value="Gagnez"' in half.content.decode()
    )
    full = {"headline": "Gagnez", "question_1": "Pourquoi ?", "answer_1": "Voilà."}
    assert desk.post(url, full).status_code == 302
    assert ProgramText.objects.get(language="fr").faq == [{"question": "Pourquoi ?", "answer": "Voilà."}]
    again = desk.get(url).content.decode()
    assert "question_3" in again and "Voilà." in again
    assert desk.get(url.replace("/fr/", "/de/")).status_code == 404
    assert at_desk(mats()).get(url).status_code == 403


def test_a_recruiting_link_is_made_copied_and_taken_out_of_use() -> None:
    program = ProgramFactory.create(slug="gifts")
    desk, add = at_desk(mats()), reverse("admin:partners_recruitinglink_add")
    empty = desk.post(add, {})
    assert empty.status_code == 422 and "Give the link a name" in words(empty)
    given = {"program": program.pk, "name": "Spring fair", "channel": "event", "key": ""}
    made = desk.post(add, given, follow=True)
    assert 'value="http://testserver/p/gifts/?via=spring-fair"' in made.content.decode()
    taken = desk.post(add, {**given, "key": "spring-fair"})
    assert taken.status_code == 422 and "Another link of this program has this word." in words(taken)
    link = RecruitingLink.objects.get()
    retire = reverse("admin:partners_recruitinglink_retire", args=[link.pk])
    assert "It cannot be taken back." in words(desk.get(retire))
    assert "Out of use since" in words(desk.post(retire, follow=True))
    assert at_desk(fiona()).get(retire).status_code == 403
    assert at_desk(fiona()).get(add).status_code == 403


def test_the_list_of_links_takes_as_many_queries_for_ten_as_for_one() -> None:
    desk, url = at_desk(mats()), reverse("admin:partners_recruitinglink_changelist")
    program = ProgramFactory.create()
    taken = []
    desk.get(url)
    for number in (1, 9):
        for link in RecruitingLinkFactory.create_batch(number, program=program):
            ApplicationFactory.create(program=program, source_link=link)
            ProgramVisitFactory.create(program=program, source_key=link.key, count=1234)
        with CaptureQueriesContext(connection) as queries:
            page = words(desk.get(url))
        taken.append(len(queries))
        assert page.count("1234 1 0") == RecruitingLink.objects.count()
    assert taken[0] == taken[1]


def test_the_funnel_is_narrowed_by_links_drawn_and_taken_as_a_file() -> None:
    gifts = ProgramFactory.create(name="Gifts", slug="gifts")
    ProgramFactory.create(name="Tools", slug="tools")
    link = RecruitingLinkFactory.create(program=gifts, key="post", name="=Fair")
    today = timezone.localdate()
    ProgramVisitFactory.create(program=gifts, visited_on=today, count=9)
    ProgramVisitFactory.create(program=gifts, visited_on=today, source_key="post", count=4)
    ApplicationFactory.create(program=gifts, source_link=link, created_at=timezone.now())
    desk, url = at_desk(mats()), reverse("admin:partners_funnel")
    page = desk.get(url)
    assert (
        "Visits: 13" in page.content.decode() and "Sent: 1, 100% of the stage before" in page.content.decode()
    )
    assert {f"{url}?program=gifts&days=30", f"{url}?days=90", f"{url}?days=30&source=post"} <= links(page)
    assert "Visits: 4" in desk.get(f"{url}?source=post").content.decode()
    assert "Nothing happened in this time" in words(desk.get(f"{url}?program=tools"))
    file = desk.get(f"{url}?program=gifts&days=7&csv=1")
    lines = b"".join(file.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert lines[0].startswith("program,source,link,visits,started,")
    assert lines[1:] == ["Gifts,No link,,9,0,0,0,0,0,0,0", "Gifts,'=Fair,post,4,1,1,1,1,1,1,0"]
    assert at_desk(fiona()).get(url).status_code == 403
