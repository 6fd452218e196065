"""The funnel counts each stage by program and source, in the days of each program's own zone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from partners import drafts, funnel, program_texts
from partners.application_forms.standard import standard_for
from partners.funnel import KEYS
from partners.models import ProgramText
from prm.accounts import policy
from tests.factories.partners import ApplicationFactory
from tests.factories.recruiting import FormVersionFactory, ProgramVisitFactory, RecruitingLinkFactory
from tests.factories.tiers import ProgramFactory
from tests.people import ada, mats

pytestmark = pytest.mark.django_db
FIRST, LAST = date(2026, 11, 1), date(2026, 11, 30)


def begun(day: int, **given: Any) -> None:
    at = datetime(2026, 11, day, 12, tzinfo=UTC)
    ApplicationFactory.create(**{"created_at": at, **given})


def draft(day: int, step: int, **given: Any) -> None:
    at = datetime(2026, 11, day, 12, tzinfo=UTC)
    blank = {"state": "draft", "submitted_at": None, "email_confirmed_at": None, "changed_at": at}
    begun(day, furthest_step=step, **blank, **given)


def test_every_stage_is_counted_for_each_source() -> None:
    program = ProgramFactory.create(name="Gifts")
    post = RecruitingLinkFactory.create(program=program, key="post", name="=Post")
    ProgramVisitFactory.create(program=program, visited_on=FIRST, count=40)
    ProgramVisitFactory.create(program=program, visited_on=LAST, count=10)
    ProgramVisitFactory.create(program=program, visited_on=LAST, source_key="post", count=7)
    ProgramVisitFactory.create(program=program, visited_on=date(2026, 12, 1), count=99)
    draft(2, 1, program=program)
    draft(3, 2, program=program)
    begun(4, program=program, email_confirmed_at=None)  # sent by an older form: it passed every step
    begun(5, program=program, source_link=post)
    begun(
        6, program=program, source_link=post, state="approved", decided_at=datetime.now(UTC), decided_by=ada()
    )
    begun(7, program=program, entered_at=datetime.now(UTC), entered_by=mats())
    rows = funnel.read([program], first=FIRST, last=LAST)
    assert [(row.key, row.source) for row in rows] == [("", "No link"), ("post", "=Post")]
    # visits, started, kind, you, audience, sent, confirmed, approved
    assert rows[0].counts == (50, 3, 3, 3, 2, 1, 0, 0)
    assert rows[1].counts == (7, 2, 2, 2, 2, 2, 2, 1)
    stages = funnel.stages(rows)
    # 5 of 57 is 8.77…%, 4 of 5 is 80%, 2 of 3 is 66.67%
    told = {stage.key: (stage.count, stage.tenths) for stage in stages}
    assert (told["visits"], told["started"]) == ((57, None), (5, 88))
    assert (told["passed_audience"], told["confirmed"], told["approved"]) == ((4, 800), (2, 667), (1, 500))
    lines = list(funnel.cells(rows))
    assert lines[1] == ("Gifts", "'=Post", "post", "7", "2", "2", "2", "2", "2", "2", "1")
    assert len(funnel.HEADER) == len(lines[0]) == 3 + len(KEYS)


def test_steps_are_those_of_the_form_that_was_filled_in() -> None:
    program = ProgramFactory.create()
    two_kinds = replace(standard_for(program), partnership_types=("affiliate", "agency")).as_json()
    form = FormVersionFactory.create(program=program, published=True, definition=two_kinds)
    for passed in (0, 1, 2, 3):  # of kind, you, audience, check
        draft(5, passed, program=program, form=form)
    row = funnel.read([program], first=FIRST, last=LAST)[0]
    assert row.counts == (0, 4, 3, 2, 1, 0, 0, 0)


def test_what_nobody_sent_stays_counted_when_it_is_deleted() -> None:
    program = ProgramFactory.create()
    form = FormVersionFactory.create(
        program=program, published=True, definition=standard_for(program).as_json()
    )
    link = RecruitingLinkFactory.create(program=program)
    for passed in (0, 1, 1):  # of you, audience, check
        draft(5, passed, program=program, form=form, source_link=link)
    before = [(row.key, row.counts) for row in funnel.read([program], first=FIRST, last=LAST)]
    assert drafts.throw_old_away(at=datetime(2027, 1, 1, tzinfo=UTC)) == 3
    after = [(row.key, row.counts) for row in funnel.read([program], first=FIRST, last=LAST)]
    assert before == after == [(link.key, (0, 3, 3, 2, 0, 0, 0, 0))]


def test_days_are_those_of_the_program() -> None:
    # 1 November begins in Auckland at 11:00 UTC of 31 October, in London at midnight UTC.
    east = ProgramFactory.create(time_zone="Pacific/Auckland", name="East")
    here = ProgramFactory.create(time_zone="Europe/London", name="Here")
    for program in (east, here):
        for at in (
            datetime(2026, 10, 31, 10, 59, tzinfo=UTC),
            datetime(2026, 10, 31, 11, 0, tzinfo=UTC),
            datetime(2026, 11, 1, 0, 0, tzinfo=UTC),
            datetime(2026, 11, 30, 10, 59, tzinfo=UTC),
            datetime(2026, 11, 30, 11, 0, tzinfo=UTC),
        ):
            ApplicationFactory.create(program=program, created_at=at)
    rows = funnel.read([east, here], first=FIRST, last=LAST)
    assert [(row.program.name, row.counts[1]) for row in rows] == [("East", 3), ("Here", 3)]


def test_the_funnel_takes_five_queries_however_much_happened(django_assert_num_queries: Any) -> None:
    programs = ProgramFactory.create_batch(3)
    for program in programs:
        asked = standard_for(program).as_json()
        form = FormVersionFactory.create(program=program, published=True, definition=asked)
        begun(3, program=program, form=form, source_link=RecruitingLinkFactory.create(program=program))
    with django_assert_num_queries(5):
        assert len(funnel.read(programs, first=FIRST, last=LAST)) == 3


def test_texts_are_in_the_readers_language_or_in_english_and_say_so() -> None:
    program = ProgramFactory.create(summary="Writers.")
    assert program_texts.of(program, "fr").who_can_join == program_texts.Said("Writers.")
    write = {"by": ada(), "at": datetime.now(UTC)}
    pairs = [("May I use ads?", "Yes."), ("", "")]
    english = {"headline": "Earn with gifts", "who_can_join": "Anybody."}
    program_texts.write(program, "en", texts=english, faq=pairs, **write)
    program_texts.write(program, "fr", texts={"headline": "Gagnez"}, faq=[], **write)
    french = program_texts.of(program, "fr")
    assert (french.headline, french.who_can_join) == (
        program_texts.Said("Gagnez"),
        program_texts.Said("Anybody.", "en"),
    )
    assert (french.faq_language, french.faq[0].answer) == ("en", "Yes.")
    own = program_texts.of(program, "en")
    assert (own.headline.language, own.faq_language, len(own.faq)) == ("", "", 1)


def test_half_a_question_and_a_stranger_to_pages_are_refused() -> None:
    program = ProgramFactory.create()
    now = datetime.now(UTC)
    with pytest.raises(program_texts.HalfAQuestion):
        program_texts.write(program, "en", texts={}, faq=[("Why?", " ")], by=ada(), at=now)
    with pytest.raises(program_texts.TooManyQuestions):
        program_texts.write(program, "en", texts={}, faq=[("Why?", "So.")] * 13, by=ada(), at=now)
    with pytest.raises(program_texts.UnknownLanguage):
        program_texts.write(program, "de", texts={}, faq=[], by=ada(), at=now)
    with pytest.raises(policy.Forbidden):
        program_texts.write(program, "en", texts={}, faq=[], by=mats(), at=now)
    assert not ProgramText.objects.exists()
