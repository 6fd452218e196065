"""Ana applies, confirms her address, is approved by Mats and signs in with a code from her mailbox: no password anywhere."""

from __future__ import annotations

import re

import pytest
from django.core.mail import EmailMessage
from django.test import Client
from django.utils import timezone

from partners import approval
from partners.models import Application, Membership
from portal.views import apply_check
from prm.mail.models import OutgoingMail
from tests import applying
from tests.factories.partners import TermsVersionFactory
from tests.factories.tiers import ProgramFactory, TierFactory, published_plan
from tests.people import ada, mats

pytestmark = pytest.mark.django_db


def latest(kind: str) -> str:
    return OutgoingMail.objects.filter(kind=kind).order_by("-pk")[0].text


def test_an_applicant_becomes_a_partner_who_signs_in_by_code(
    monkeypatch: pytest.MonkeyPatch, mailoutbox: list[EmailMessage]
) -> None:
    monkeypatch.setattr(apply_check, "NEUTRAL_SECONDS", 0.0)
    program = ProgramFactory(slug="affiliates")
    tier = TierFactory(program=program, rank=1)
    terms = TermsVersionFactory(published=True, program=program)
    published_plan(program, by=ada())

    ana = Client()
    page = applying.fill_in(ana, "affiliates", email="Ana@Lima.example", company="Lima Reviews")
    assert applying.hidden(page, "terms") == terms.public_id
    accepted = applying.send(ana, "affiliates", page)
    assert accepted["Location"] == "/p/affiliates/apply/sent/"

    link = re.search(r"http://testserver(/application/\S+/)", latest("application_confirm"))
    assert link
    ana.post(link[1], {"action": "confirm"})

    approval.approve(Application.objects.get(), tier=tier, by=mats(), at=timezone.now())
    sign_in = re.search(r"http://testserver(/accounts/\S+)", latest("application_approved"))
    assert sign_in

    ana.post(sign_in[1], {"email": "ana@lima.example"})
    code = re.search(r"^\s*([A-Z0-9-]{6,})\s*$", str(mailoutbox[-1].body), re.MULTILINE)
    assert code, mailoutbox[-1].body
    entered = ana.post("/accounts/login/code/confirm/", {"code": code[1]})
    assert entered["Location"] == "/portal/"
    home = ana.get("/portal/")
    assert home.status_code == 200
    assert "Lima Reviews" in home.content.decode()
    assert Membership.objects.get().partner.name == "Lima Reviews"
