from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from partners.models import Application, Partner, TermsVersion
from payouts.models import Account, Commission, Payment, PayRun, Statement, Transaction
from prm.accounts.models import User
from prm.admin_site.site import BackOffice
from prm.lib.periods import Month
from prm.runs import lifecycle
from referrals.models import Code, Conversion, Link
from tests.desk import at_desk, links, words
from tests.factories.partners import ApplicationFactory
from tests.factories.payouts import close_months, give_account, prepared
from tests.factories.referrals import LinkFactory
from tests.house import open_house
from tests.people import ada, ana, felix, fiona, mats
from tests.portal.scene import busy_partner
from tiers.models import Program

pytestmark = pytest.mark.django_db

MONEY_PAGES = (
    "admin:payouts_payrun_changelist",
    "admin:payouts_payrun_prepare",
    "admin:payouts_period_changelist",
    "admin:payouts_account_changelist",
    "admin:payouts_payment_changelist",
    "admin:payouts_paymentmethod_changelist",
)


def page(user: User, name: str, *args: object) -> str:
    return words(at_desk(user).get(reverse(name, args=args)))


def test_the_back_office_is_our_own_site() -> None:
    assert isinstance(admin.site._wrapped, BackOffice) if hasattr(admin.site, "_wrapped") else False  # type: ignore[attr-defined]


def test_a_stranger_is_sent_to_the_one_front_door() -> None:
    response = Client().get(reverse("admin:index"))
    assert response.status_code == 302
    assert "login" in response.url  # type: ignore[attr-defined]


def test_a_partner_is_not_let_in() -> None:
    client = Client()
    client.force_login(ana())
    assert client.get(reverse("admin:index")).status_code in (302, 403)


def test_the_navigation_shows_each_role_what_it_may_open() -> None:
    assert "Pay runs" in page(fiona(), "admin:index")
    assert "Applications" not in links(at_desk(fiona()).get(reverse("admin:index")))
    for_mats = page(mats(), "admin:index")
    assert "Applications" in for_mats
    assert "Pay runs" not in for_mats
    # An account manager answers for what partners earn, and is led to it though no payment is his to make.
    for_mats_links = links(at_desk(mats()).get(reverse("admin:index")))
    for name in ("commission", "statement", "invoice"):
        assert reverse(f"admin:payouts_{name}_changelist") in for_mats_links
    assert "Staff and roles" in page(ada(), "admin:index")


def test_the_page_being_shown_is_marked_once() -> None:
    response = at_desk(ada()).get(reverse("admin:referrals_conversion_import"))
    marked = response.content.decode().count('aria-current="page"')
    assert marked == 2  # in the side bar and in the menu of the phone
    assert 'href="/admin/referrals/conversion/import/" aria-current="page"' in response.content.decode()


@pytest.mark.parametrize("name", MONEY_PAGES)
def test_without_the_role_a_page_of_money_says_which_role_it_needs(name: str) -> None:
    response = at_desk(mats()).get(reverse(name))
    assert response.status_code == 403
    assert "Finance" in words(response)


def test_finance_is_told_who_decides_on_applications() -> None:
    application = ApplicationFactory.create()
    response = at_desk(fiona()).get(reverse("admin:partners_application_change", args=[application.pk]))
    assert response.status_code == 403
    assert "Account manager" in words(response)


def test_today_counts_applications_with_the_age_of_the_oldest() -> None:
    now = timezone.now()
    program = ApplicationFactory.create(created_at=now - timedelta(days=4)).program
    ApplicationFactory.create(program=program, submitted_at=now, created_at=now)
    ApplicationFactory.create(program=program, state="withdrawn", submitted_at=now, created_at=now)
    text = page(mats(), "admin:index")
    assert "2 applications to decide" in text
    assert "Oldest 4 days" in text


def test_today_shows_a_run_to_approve_to_everybody_but_its_preparer() -> None:
    house = open_house()
    member = house.member("K1")
    at = datetime.fromisoformat("2026-02-02T10:00:00+00:00")
    give_account(member, at=at)
    house.sale("s-1", "1000.00", "K1", datetime.fromisoformat("2026-01-05T10:00:00+00:00"))
    house.rate(at)
    close_months(house.program, Month(2026, 1), at=at)
    prepared(house.program.legal_entity, at=at)  # by Fiona: 8 % of 1,000.00
    assert "1 pay run to approve £80.00" in page(felix(), "admin:index")
    assert "pay run to approve" not in page(fiona(), "admin:index")
    assert "pay run to approve" not in page(mats(), "admin:index")


def test_today_shows_the_money_by_stage_and_each_sum_leads_to_its_lines() -> None:
    busy_partner()
    response = at_desk(fiona()).get(reverse("admin:index"))
    # paid 100.00, on its way 200.00, ready 300.00 - 20.00 + 40.00, on hold 50.00 - 5.00
    assert "GBP £0.00 £45.00 £320.00 £200.00 £100.00" in words(response)
    held = at_desk(fiona()).get(
        reverse("admin:payouts_commission_changelist"), {"stage": "hold", "currency": "GBP"}
    )
    assert "£45.00 in 2 rows" in words(held)
    assert reverse("admin:payouts_commission_changelist") + "?stage=hold&currency=GBP" in links(response)


def test_today_hides_the_money_from_account_managers() -> None:
    busy_partner()
    assert "Money, all programs" not in page(mats(), "admin:index")


def test_today_names_payments_that_are_late() -> None:
    scene = busy_partner()
    late = scene.house.program.legal_entity.statements.filter(state="issued", closing_minor__gt=0)
    assert late.exists()
    text = page(fiona(), "admin:index")
    # The May statement was due on 14 June and nothing for it has left.
    assert "1 payment is late. Due since 14 Jun 2026." in text


def test_today_shows_jobs_under_way() -> None:
    lifecycle.start("close", title="Close May 2026", at=timezone.now(), by=fiona(), phases=["Statements"])
    response = at_desk(fiona()).get(reverse("admin:index"))
    assert "Close May 2026" in words(response)
    assert "hx-get" in response.content.decode()


def test_instants_are_written_in_the_readers_time_zone() -> None:
    LinkFactory.create(created_at=datetime.fromisoformat("2026-07-01T09:30:00+00:00"))
    assert "1 Jul 2026, 10:30" in page(mats(), "admin:referrals_link_changelist")


@pytest.mark.parametrize(
    "model",
    [
        Partner,
        Application,
        Program,
        TermsVersion,
        Link,
        Code,
        Conversion,
        Commission,
        Statement,
        Account,
        Transaction,
        PayRun,
        Payment,
    ],
    ids=lambda model: model.__name__,
)
def test_a_list_asks_as_many_questions_for_many_rows_as_for_few(model: type) -> None:
    scene = busy_partner()
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"  # type: ignore[attr-defined]
    client = at_desk(ada())
    ApplicationFactory.create(program=scene.house.program)
    client.get(reverse(name))
    few = questions(client, reverse(name))
    for number in range(5):
        ApplicationFactory.create(program=scene.house.program)
        scene.house.member(f"N{number}")
        scene.house.sale(f"n-{number}", "10.00", f"N{number}", timezone.now())
    scene.house.rate(timezone.now())
    assert questions(client, reverse(name)) <= few


def questions(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(url).status_code == 200
    return len(asked)


def test_no_page_about_money_offers_to_change_it() -> None:
    busy_partner()
    client = at_desk(ada())
    for model in (Commission, Statement, Account, Transaction, Payment, PayRun):
        row = model._default_manager.order_by("pk").first()
        assert row is not None
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        response = client.get(reverse(f"{name}_change", args=[row.pk]))
        assert response.status_code == 200
        assert 'name="_save"' not in response.content.decode()
        refused = client.post(reverse(f"{name}_change", args=[row.pk]), {"amount_minor": 1})
        assert refused.status_code in (200, 403, 405)
        assert client.post(reverse(f"{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    assert Commission.objects.filter(amount_minor=1).count() == 0


def test_a_version_of_a_plan_is_marked_as_a_part_of_the_plans() -> None:
    version = open_house().program.plan.versions.get()
    page = at_desk(ada()).get(reverse("admin:tiers_planversion_change", args=[version.pk])).content.decode()
    assert 'href="/admin/tiers/plan/" aria-current="page"' in page


def test_trying_an_order_is_an_entry_of_its_own() -> None:
    open_house()
    page = at_desk(mats()).get(reverse("admin:payouts_simulator")).content.decode()
    assert 'href="/admin/tiers/plan/try/" aria-current="page"' in page
