"""One partner's whole way, through the doors people use: Ana applies on the public page, Mats approves, a visitor follows her link,
the shop reports sales by API, workers rate them, the month is closed, Fiona prepares, Felix approves, the bank confirms."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from lxml import etree

from partners import approval
from partners.models import Application
from payouts import accrual, ledger, pay_runs, payment_methods, periods, release
from payouts.choices import AccountKind
from payouts.exports import csv as statement_csv
from payouts.models import Commission, Payment, Statement
from prm.accounts import api_keys
from prm.accounts.models import User
from prm.lib.money import Money
from prm.lib.periods import Month
from prm.mail.models import OutgoingMail
from referrals import welcome
from tests import applying
from tests.factories.partners import TermsVersionFactory
from tests.house import open_house
from tests.people import ada, felix, fiona, mats

pytestmark = pytest.mark.django_db

MARCH = Month(2026, 3)


def apply(client: Client, slug: str) -> Application:
    """Fill in the public form, check the answers, accept the terms, send, and confirm the address by the link in the mail."""
    page = applying.fill_in(
        client,
        slug,
        full_name="Ana Prado",
        email="ana@studio.example",
        phone="+44 20 7946 0958",
        company="Studio Prado",
        website="https://studio.example",
        country="United Kingdom",
        audience="12,000 readers",
        how_promote="Reviews of gifts for small shops, twice a month.",
    )
    assert applying.send(client, slug, page)["Location"] == f"/p/{slug}/apply/sent/"
    text = OutgoingMail.objects.get(kind="application_confirm").text
    [link] = set(re.findall(r"https?://[^/\s]+(/application/[^\s/]+/)", text))
    client.post(link, {"action": "confirm"})
    return Application.objects.get(email_folded="ana@studio.example")


def test_from_application_to_paid_statement(client: Client) -> None:
    house = open_house()
    TermsVersionFactory(program=house.program, published=True)
    application = apply(client, house.program.slug)

    membership = approval.approve(
        application, tier=house.tier, by=mats(), at=datetime(2026, 3, 1, tzinfo=UTC)
    )
    welcome.first_link_and_code(membership.pk, at=datetime(2026, 3, 1, tzinfo=UTC))
    owner = User.objects.get_by_natural_key("ana@studio.example")
    link, code = membership.links.get(), membership.codes.get()
    assert OutgoingMail.objects.filter(kind="application_approved", to="ana@studio.example").count() == 1

    shop = Client(headers={"Authorization": f"Bearer {shop_key()}"})
    visitor = Client(
        headers={"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/143.0", "Accept": "text/html"}
    )
    clicked = visitor.get(f"/r/{link.slug}")
    assert clicked.status_code == 302
    click_id = clicked["Location"].split("prm_click=")[1]
    by_click = sell(shop, "order-1", "250.00", click_id=click_id, at=timezone.now())
    assert by_click == 201
    assert sell(shop, "order-2", "1000.00", code=code.code, at=datetime(2026, 3, 3, 12, tzinfo=UTC)) == 201
    assert sell(shop, "order-2", "1000.00", code=code.code, at=datetime(2026, 3, 3, 12, tzinfo=UTC)) == 200
    assert sell(shop, "order-2", "999.00", code=code.code, at=datetime(2026, 3, 3, 12, tzinfo=UTC)) == 409

    accrual.sweep(at=timezone.now())
    # 8 % of 1,000.00 by code and 8 % of 250.00 by click
    assert sorted(Commission.objects.values_list("amount_minor", flat=True)) == [2000, 8000]

    payment_methods.add(
        membership.partner, currency="GBP", holder="Ana Prado", iban="GB33BUKB20201555555555", bic="BUKBGB22",
        by=owner, at=datetime(2026, 3, 4, tzinfo=UTC),
    )  # fmt: skip
    closed_at = datetime(2026, 4, 1, 8, tzinfo=UTC)
    release.release_due(at=closed_at)
    periods.close(house.program, MARCH, by=fiona(), at=closed_at)
    statement = Statement.objects.get(membership=membership, period__month=3)
    assert (statement.opening_minor, statement.earned_minor, statement.closing_minor) == (0, 8000, 8000)

    run = pay_runs.prepare(
        house.program.legal_entity,
        currency="GBP",
        execute_on=closed_at.date() + timedelta(days=13),
        by=fiona(),
        at=closed_at,
    )
    with pytest.raises(pay_runs.SamePerson):
        pay_runs.approve(run, by=fiona(), at=closed_at)
    with pytest.raises(pay_runs.NotLookedAt):
        pay_runs.approve(run, by=felix(), at=closed_at)
    pay_runs.acknowledge_all(run, note="First payment, account proven by phone.", by=fiona(), at=closed_at)
    run = pay_runs.approve(run, by=felix(), at=closed_at)
    files = pay_runs.export(run, by=fiona(), at=closed_at)
    [pain] = [file for file in files if file.format.startswith("pain")]
    tree = etree.fromstring(bytes(pain.content))
    assert tree.xpath("//*[local-name()='CtrlSum']/text()")[0] == "80.00"
    assert tree.xpath("//*[local-name()='EndToEndId']/text()") == [Payment.objects.get().end_to_end_id]
    pay_runs.settle(run, by=felix(), at=closed_at + timedelta(days=15), reference="BANK-1")

    balances = {
        kind: ledger.balance(ledger.partner_account(membership, kind))
        for kind in (AccountKind.PAYABLE, AccountKind.IN_PAYMENT)
    }
    assert set(balances.values()) == {Money(0, "GBP")}
    assert sum(total.minor for total in ledger.trial_balance().values()) == 0
    assert Commission.objects.get(conversion__external_id="order-2").state == "paid"
    assert "80.00" in statement_csv.render(statement).decode()

    portal = Client()
    portal.force_login(owner)
    assert "£80.00" in portal.get(f"/portal/statements/{statement.public_id}/", follow=True).content.decode()


def shop_key() -> str:
    return api_keys.issue(name="Shop", scopes=["conversions:write"], by=ada(), at=timezone.now()).text


def sell(shop: Client, order: str, amount: str, *, at: datetime, code: str = "", click_id: str = "") -> int:
    """Report one sale as a shop does; return the answer's status."""
    body = {
        "source": "shop", "event_id": order, "kind": "sale", "occurred_at": at.isoformat(), "amount": amount,
        "currency": "GBP", "customer_id": "c-1", "country": "France", "code": code, "click_id": click_id,
    }  # fmt: skip
    answer = shop.post("/api/v1/conversions", json.dumps(body), content_type="application/json")
    return answer.status_code
