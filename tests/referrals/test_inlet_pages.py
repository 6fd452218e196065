"""Inlets in the back office: a secret is seen once, renewing and closing say what they do first, and only administrators come in."""

from __future__ import annotations

import pytest
from django.urls import reverse

from referrals import inlets
from referrals.models import Inlet
from tests.desk import at_desk, words
from tests.factories.tracking import InletFactory
from tests.people import ada, mats

pytestmark = pytest.mark.django_db

ADD = "admin:referrals_inlet_add"
VALUES = {"name": "Checkout", "kind": "postback", "source": "shop", "kinds": ["sale", "refund"]}


def test_a_new_secret_is_shown_in_one_answer_only() -> None:
    desk = at_desk(ada())
    answer = desk.post(reverse(ADD), VALUES)
    inlet = Inlet.objects.get()
    assert inlet.secret in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    page = desk.get(reverse("admin:referrals_inlet_change", args=[inlet.pk]))
    assert inlet.secret not in page.content.decode()
    said = words(page)
    assert f"/in/{inlet.public_id}" in page.content.decode()
    assert "amount=59.90&click_id=" in said


def test_renewing_and_closing_ask_first() -> None:
    inlet = InletFactory.create()
    desk, before = at_desk(ada()), inlet.secret
    renew = reverse("admin:referrals_inlet_renew", args=[inlet.pk])
    assert "taken for seven more days" in words(desk.get(renew))
    inlet.refresh_from_db()
    assert inlet.secret == before
    shown = desk.post(renew).content.decode()
    inlet.refresh_from_db()
    assert inlet.secret in shown and inlet.previous_secret == before
    close = reverse("admin:referrals_inlet_close", args=[inlet.pk])
    assert "refused from now on" in words(desk.get(close))
    assert "It is closed." in words(desk.post(close, follow=True))
    assert desk.get(close).status_code == 404


def test_a_pixel_shows_lines_to_copy_and_nothing_of_them_runs_here() -> None:
    desk = at_desk(ada())
    page = desk.post(
        reverse(ADD), VALUES | {"kind": "pixel", "kinds": ["sale"]}, follow=True
    ).content.decode()
    assert "&lt;script src=" in page
    assert 'data-convert-event-id="order-10023"' not in page  # written out, not a tag of this page
    assert "data-convert-event-id=&quot;order-10023&quot;" in page


def test_faults_are_said_at_their_question() -> None:
    desk = at_desk(ada())
    wrong = desk.post(reverse(ADD), VALUES | {"kind": "pixel"})
    assert wrong.status_code == 422
    assert str(inlets.BadKinds()) in words(wrong)
    assert desk.post(reverse(ADD), VALUES | {"name": ""}).status_code == 422
    assert not Inlet.objects.exists()


def test_only_administrators_come_in() -> None:
    inlet, desk = InletFactory.create(), at_desk(mats())
    for name, args in (
        ("add", []),
        ("changelist", []),
        ("change", [inlet.pk]),
        ("renew", [inlet.pk]),
        ("close", [inlet.pk]),
    ):
        assert desk.get(reverse(f"admin:referrals_inlet_{name}", args=args)).status_code == 403, name
