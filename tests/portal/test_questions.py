"""Questions in the portal: asked from a line or a statement, listed with their promise, answered, and closed to whoever only looks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from partners.models import Member
from payouts import disputes
from payouts.choices import DisputeState
from payouts.models import Commission, Dispute
from tests.desk import links, words
from tests.factories.prm import UserFactory
from tests.people import mats
from tests.portal.conftest import signed_in
from tests.portal.scene import NOW, Scene

pytestmark = pytest.mark.django_db


def line_of(order: str) -> Commission:
    return Commission.objects.get(conversion__external_id=order)


def ask_url(order: str) -> str:
    return reverse("portal:question_ask", args=[line_of(order).public_id])


def asked(scene: Scene, order: str = "jun-1") -> Dispute:
    return disputes.open(line_of(order), cause="rate", text="Gold is 12 %.", by=scene.ana, at=NOW)


def url_of(found: Dispute, name: str = "question", *more: int) -> str:
    return reverse(f"portal:{name}", args=[found.public_id, *more])


def test_a_line_leads_to_its_question_and_the_question_is_asked_once(busy: Scene) -> None:
    client = signed_in(busy)
    line_page = reverse("portal:commission", args=[line_of("jun-1").public_id])
    assert ask_url("jun-1") in links(client.get(line_page))
    form = client.get(ask_url("jun-1"))
    # Saturday 20 June 2026 and five working days: Friday 26 June.
    assert "You get an answer by 26 Jun 2026" in words(form)
    given: dict[str, Any] = {"cause": "rate", "text": "Gold is 12 %."}
    answer = client.post(ask_url("jun-1"), given | {"evidence": SimpleUploadedFile("a.txt", b"12 %")})
    found = Dispute.objects.get()
    assert answer["Location"] == url_of(found)
    page = client.get(url_of(found))
    assert "Gold is 12 %." in words(page) and "Answer by 26 Jun 2026" in words(page)
    [message] = found.messages.all()
    file: Any = client.get(url_of(found, "question_file", message.pk))
    assert b"".join(file.streaming_content) == b"12 %" and "attachment" in file["Content-Disposition"]
    assert client.get(ask_url("jun-1"))["Location"] == url_of(found)  # the line leads to the open question
    assert url_of(found) in links(client.get(line_page))


def test_what_is_missing_is_said_at_its_field_and_nothing_is_asked(busy: Scene) -> None:
    page = signed_in(busy).post(ask_url("jun-1"), {"cause": "rate", "text": " "})
    assert page.status_code == 422 and "text" in page.context["form"].errors
    assert not Dispute.objects.exists()


def test_a_line_whose_time_is_over_says_until_when(busy: Scene) -> None:
    # The statement of March was issued in April and promised 30 days; it is 20 June.
    client = signed_in(busy)
    line_page = client.get(reverse("portal:commission", args=[line_of("mar-1").public_id]))
    assert ask_url("mar-1") not in links(line_page) and "You could ask about this until" in words(line_page)
    page = client.post(ask_url("mar-1"), {"cause": "rate", "text": "Late."})
    assert page.status_code == 422 and not Dispute.objects.exists()


def test_the_list_is_empty_and_then_shows_each_question_with_its_promise(busy: Scene) -> None:
    client = signed_in(busy)
    assert "No questions" in words(client.get(reverse("portal:questions")))
    found = asked(busy)
    said = words(client.get(reverse("portal:questions")))
    assert "jun-1" in said and "Answer by 26 Jun 2026" in said and "£40.00" in said
    disputes.answer(found, text="It is 10 %.", by=mats(), at=NOW + timedelta(hours=1))
    assert "Answered" in words(client.get(reverse("portal:questions")))


def test_an_overdue_question_says_that_it_is_late(busy: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    found = asked(busy)
    monkeypatch.setattr("portal.rooms.clock", lambda: found.answer_by_at)
    assert "Late" in words(signed_in(busy).get(url_of(found)))


def test_staff_speak_with_the_voice_of_the_operator(busy: Scene) -> None:
    found = asked(busy)
    disputes.answer(found, text="It is 10 %.", by=mats(), at=NOW + timedelta(hours=1))
    said = words(signed_in(busy).get(url_of(found)))
    assert "It is 10 %." in said and "Halden Giftware Ltd" in said and "Mats" not in said


def test_writing_back_and_withdrawing(busy: Scene) -> None:
    found, client = asked(busy), signed_in(busy)
    disputes.answer(found, text="Which order?", by=mats(), at=NOW, waits_for_partner=True)
    assert client.post(url_of(found, "question_reply"), {"text": " "}).status_code == 422
    client.post(url_of(found, "question_reply"), {"text": "This one."})
    found.refresh_from_db()
    assert found.state == DisputeState.OPENED and found.messages.count() == 3
    client.post(url_of(found, "question_withdraw"))
    found.refresh_from_db()
    assert found.state == DisputeState.WITHDRAWN
    page = client.get(url_of(found))
    assert "Write back" not in words(page)
    assert client.post(url_of(found, "question_reply"), {"text": "Still?"}).status_code == 302
    assert found.messages.count() == 3


def test_who_only_looks_reads_and_cannot_write(busy: Scene) -> None:
    found = asked(busy)
    Member.objects.filter(user=busy.ana).update(role="read_only")
    client = signed_in(busy)
    assert client.get(url_of(found)).status_code == 200
    assert ask_url("jun-2") not in links(
        client.get(reverse("portal:commission", args=[line_of("jun-2").public_id]))
    )
    assert client.get(ask_url("jun-2")).status_code == 403
    assert client.post(ask_url("jun-2"), {"cause": "rate", "text": "x"}).status_code == 403
    assert client.post(url_of(found, "question_reply"), {"text": "x"}).status_code == 403
    assert client.post(url_of(found, "question_withdraw")).status_code == 403
    assert Dispute.objects.count() == 1 and found.messages.count() == 1


def test_questions_of_another_partner_are_not_there(busy: Scene) -> None:
    found = asked(busy)
    [message] = found.messages.all()
    stranger = UserFactory(email="ben@other.example")
    busy.house.member("BEN", owner=stranger)
    client = signed_in(Scene(busy.house, busy.house.members["BEN"], stranger))
    assert client.get(url_of(found)).status_code == 404
    assert client.get(ask_url("jun-2")).status_code == 404
    assert client.post(url_of(found, "question_reply"), {"text": "x"}).status_code == 404
    assert client.post(url_of(found, "question_withdraw")).status_code == 404
    assert client.get(url_of(found, "question_file", message.pk)).status_code == 404


def test_each_line_of_a_statement_can_be_asked_about_while_its_time_runs(
    busy: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    statement = line_of("may-1").statement
    assert statement is not None
    page = reverse("portal:statement", args=[statement.public_id])
    assert ask_url("may-1") in links(signed_in(busy).get(page))
    monkeypatch.setattr("portal.rooms.clock", lambda: statement.issued_at + timedelta(days=32))
    assert ask_url("may-1") not in links(signed_in(busy).get(page))
