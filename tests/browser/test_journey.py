"""The way from an application to a paid statement, walked in a browser by the people who walk it: Ana applies, Mats approves, the shop
reports a sale, Fiona closes the month and prepares the payment, Felix approves it, and Ana takes her statement home.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine
from celery import Celery
from django.urls import reverse
from django.utils import timezone
from lxml import etree
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from partners.models import Application
from payouts import ledger
from payouts.choices import AccountKind
from payouts.models import PayRun
from prm.accounts import api_keys
from prm.lib.money import Money
from prm.mail.models import OutgoingMail
from referrals.models import Code
from tests.browser.conftest import Opener, Watch
from tests.browser.hands import assert_accessible, assert_no_sideways_scroll, sign_in, sign_in_by_code
from tests.factories.partners import TermsVersionFactory
from tests.house import House, open_house
from tests.people import ada, felix, fiona, mats

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.needs_pango]

ANA = "ana@studio.example"
SIGN_IN = re.compile("^Sign in")
APPLIES = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SELLS = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
LOOKS = datetime(2026, 3, 5, 8, 0, tzinfo=UTC)
CLOSES = datetime(2026, 4, 1, 8, 0, tzinfo=UTC)
PAYS = datetime(2026, 4, 8, 9, 0, tzinfo=UTC)
ARRIVES = datetime(2026, 4, 16, 9, 0, tzinfo=UTC)


def test_from_application_to_paid_statement(
    open_page: Opener,
    travel: time_machine.Traveller,
    eager_tasks: Celery,
    watch: Watch,
    site: str,
    tmp_path: Path,
) -> None:
    house = open_house()
    TermsVersionFactory.create(program=house.program, published=True)
    ana_page, staff_page = open_page(), open_page
    watch.forgive.add(422)

    travel.move_to(APPLIES)
    ana_applies(ana_page, house)
    ana_confirms_her_address(ana_page)
    mats_approves(staff_page())
    ana_sees_a_first_home(ana_page)
    ana_adds_her_account(ana_page)

    travel.move_to(SELLS)
    the_shop_reports_a_sale(ana_page)

    travel.move_to(LOOKS)
    ana_asks_why(ana_page)

    travel.move_to(CLOSES)
    fiona_closes_march(staff_page(), house)

    travel.move_to(PAYS)
    fionas_page, felixs_page = staff_page(), staff_page()
    fiona_prepares_but_cannot_approve(fionas_page)
    felix_approves(felixs_page)
    fiona_makes_the_files(fionas_page, tmp_path)

    travel.move_to(ARRIVES)
    felix_marks_it_paid(staff_page())
    ana_takes_her_statement_home(ana_page, tmp_path)

    membership = house.program.memberships.get()
    for kind in (AccountKind.PAYABLE, AccountKind.IN_PAYMENT):
        assert ledger.balance(ledger.partner_account(membership, kind)) == Money(0, "GBP")


def ana_applies(page: Page, house: House) -> None:
    """First with a mistake, then without; the answers stay."""
    page.goto("/")
    page.get_by_role("link", name=house.program.name).click()
    page.get_by_role("link", name="Apply").first.click()
    answers = {
        "Your name": "Ana Prado",
        "E-mail address": "ana@studio",
        "Phone": "+44 20 7946 0958",
        "Company or creator name": "Studio Prado",
    }
    for label, answer in answers.items():
        page.get_by_label(label).fill(answer)
    page.get_by_label("Country").select_option(label="United Kingdom")
    page.get_by_role("button", name="Continue").click()
    expect(page).to_have_title(re.compile("^Error:"))
    expect(page.locator(".error-summary")).to_be_focused()
    assert_accessible(page)

    expect(page.get_by_label("Company or creator name")).to_have_value("Studio Prado")
    page.get_by_label("E-mail address").fill(ANA)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your audience")
    page.get_by_label("Website").fill("studio.example")
    page.get_by_label("How will you promote us?").fill("With reviews of gifts and a weekly letter.")
    assert_accessible(page)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("main")).to_contain_text(ANA)
    assert_accessible(page)
    page.locator("main form input[type=checkbox]").check()
    page.get_by_role("button", name="Accept and send").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("we have your application")
    expect(page.get_by_role("main")).to_contain_text(Application.objects.get().public_id)
    assert_accessible(page)


def ana_confirms_her_address(page: Page) -> None:
    text = OutgoingMail.objects.get(kind="application_confirm", to=ANA).text
    [address] = set(re.findall(r"https?://\S+(/application/[^\s/]+/)", text))
    page.goto(address)
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("main")).to_contain_text("Your e-mail address is confirmed.")
    assert_accessible(page)
    assert_no_sideways_scroll(page)


def mats_approves(page: Page) -> None:
    sign_in(page, mats())
    expect(page).to_have_url(re.compile("/admin/$"))
    page.get_by_role("link", name=re.compile("application")).last.click()
    page.get_by_role("link", name=re.compile("Studio Prado|app_|Ana")).first.click()
    expect(page.get_by_role("radio", name="Approve")).to_be_checked()
    assert_accessible(page)
    page.get_by_role("button", name="Decide on").click()
    expect(page.locator(".messagelist")).to_contain_text("is approved and gets an e-mail")
    assert OutgoingMail.objects.filter(kind="application_approved", to=ANA).count() == 1


def ana_sees_a_first_home(page: Page) -> None:
    sign_in_by_code(page, ANA)
    expect(page.get_by_role("heading", name="Steps to your first sale")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text(Code.objects.get().code)
    assert_accessible(page)
    assert_no_sideways_scroll(page)


def ana_adds_her_account(page: Page) -> None:
    """She signed in just now, so nobody asks who she is once more."""
    page.get_by_role("main").locator("a[href='/portal/payment-details/']").first.click()
    page.get_by_role("link", name="Add payment details").click()
    page.get_by_label("Account holder").fill("Ana Prado")
    page.get_by_label("IBAN", exact=True).fill("GB33 BUKB 2020 1555 5555 55")
    page.get_by_label("BIC").fill("BUKBGB22")
    page.get_by_label("Street").fill("Calle del Prado")
    page.get_by_label("Town").fill("Madrid")
    page.get_by_role("button", name="Save the account").click()
    expect(page.get_by_role("main")).to_contain_text("IBAN ending 5555")
    assert "GB33" not in page.content()


def the_shop_reports_a_sale(page: Page) -> None:
    """Twice, as shops do: the second time nothing is added."""
    key = api_keys.issue(name="Shop", scopes=["conversions:write"], by=ada(), at=timezone.now()).text
    body = {
        "source": "shop",
        "event_id": "order-1",
        "kind": "sale",
        "occurred_at": SELLS.isoformat(),
        "amount": "1000.00",
        "currency": "GBP",
        "customer_id": "c-1",
        "country": "France",
        "code": Code.objects.get().code,
    }
    for status in (201, 200):
        answer = page.request.post(
            "/api/v1/conversions", data=body, headers={"Authorization": f"Bearer {key}"}
        )
        assert answer.status == status


def ana_asks_why(page: Page) -> None:
    """With the keyboard alone: Enter opens the explanation beside the list, Escape leads back to the amount."""
    sign_in_by_code(page, ANA)
    page.get_by_role("navigation", name="Main", exact=True).get_by_role("link", name="Earnings").click()
    amount = page.get_by_role("link", name=re.compile("^Why £80.00"))  # 8 % of 1,000.00
    expect(page.locator("table.data tbody tr")).to_have_count(1)
    expect(page.locator("table.data tbody")).to_contain_text("On hold until 18 Mar")
    amount.focus()
    page.keyboard.press("Enter")
    drawer = page.get_by_role("dialog", name="Why £80.00?")
    expect(drawer).to_be_visible()
    expect(page.locator("#drawer-title")).to_be_focused()
    for words in ("£1,000.00", "8%", "Your commission"):
        expect(drawer).to_contain_text(words)
    explained = drawer.locator("table").inner_text()
    assert_accessible(page)
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    expect(amount).to_be_focused()

    page.goto(str(amount.get_attribute("href")))
    expect(page.get_by_role("heading", level=1)).to_have_text("Why £80.00?")
    assert page.locator("main table").inner_text() == explained


def fiona_closes_march(page: Page, house: House) -> None:
    sign_in(page, fiona())
    page.goto(f"/admin/payouts/period/{house.program.slug}/2026-03/close/")
    page.get_by_role("button", name="Close March 2026").click()
    expect(page.get_by_role("main")).to_contain_text("This month is closed.")
    assert_accessible(page)


def fiona_prepares_but_cannot_approve(page: Page) -> None:
    sign_in(page, fiona())
    page.goto("/admin/payouts/payrun/prepare/")
    page.get_by_label("Payment date").fill("2026-04-14")
    page.get_by_role("button", name="Open the run").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Compute")
    assert_accessible(page)
    page.get_by_role("button", name="Compute the payments").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Check")
    expect(page.locator("#payments + .table-scroll")).to_contain_text("£80.00")
    assert_accessible(page)

    run = PayRun.objects.get()
    page.goto(stage_of(run, "close"))
    expect(page.get_by_role("main")).to_contain_text("Every month that is over is closed")
    assert_accessible(page)
    page.goto(stage_of(run, "approve"))
    expect(page.get_by_role("main")).to_contain_text("1 check is not acknowledged yet")
    page.get_by_role("link", name="Look at them").click()
    page.get_by_role("link", name="Paid for the first time").click()
    page.get_by_label("What you found").fill("The account is the one in the contract.")
    assert_accessible(page)
    page.get_by_role("button", name=re.compile("^Acknowledge")).first.click()
    page.goto(stage_of(run, "approve"))
    expect(page.get_by_role("main")).to_contain_text("Somebody else has to approve it.")
    expect(page.get_by_role("button", name=re.compile("^Approve"))).to_have_count(0)
    assert_accessible(page)

    page.goto(f"/admin/payouts/payrun/{run.pk}/step/approve/")
    page.get_by_role("button", name=re.compile("^Approve")).click()
    run.refresh_from_db()
    assert (run.state, run.approved_by) == ("checked", None)
    expect(page.locator(".messagelist .error")).not_to_be_empty()


def stage_of(run: PayRun, stage: str) -> str:
    return reverse("admin:payouts_payrun_stage", args=[run.pk, stage])


def felix_approves(page: Page) -> None:
    sign_in(page, felix())
    page.goto(f"/admin/payouts/payrun/{PayRun.objects.get().pk}/change/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Approve")
    expect(page.locator(".consequences")).to_contain_text("Fiona Brandt prepared it")
    page.get_by_role("button", name=re.compile("^Approve")).click()
    expect(page.locator(".messagelist")).to_contain_text("The run is approved.")


def fiona_makes_the_files(page: Page, folder: Path) -> None:
    page.goto(f"/admin/payouts/payrun/{PayRun.objects.get().pk}/change/")
    page.get_by_role("button", name=re.compile("^Make the files")).click()
    file = page.get_by_role("link", name=re.compile(r"\.xml$"))
    expect(file).to_be_visible()
    assert_accessible(page)
    taken = downloaded(page, file.click, folder)
    tree = etree.fromstring(taken)
    assert tree.xpath("//*[local-name()='CtrlSum']/text()")[0] == "80.00"
    assert tree.xpath("//*[local-name()='CdtrAcct']//*[local-name()='IBAN']/text()") == [
        "GB33BUKB20201555555555"
    ]


def felix_marks_it_paid(page: Page) -> None:
    sign_in(page, felix())
    page.goto(f"/admin/payouts/payrun/{PayRun.objects.get().pk}/change/")
    page.get_by_role("link", name="Go on to what the bank says").click()
    expect(page.get_by_role("main")).to_contain_text("On their way")
    assert_accessible(page)
    page.get_by_label("Bank reference").fill("BANK-1")
    page.get_by_role("button", name="Mark as paid").click()
    expect(page.locator(".messagelist")).to_contain_text("booked as paid")
    page.goto(stage_of(PayRun.objects.get(), "reconcile"))
    expect(page.get_by_role("main")).to_contain_text("From what was owed to what arrived")
    assert_accessible(page)


def ana_takes_her_statement_home(page: Page, folder: Path) -> None:
    sign_in_by_code(page, ANA)
    page.get_by_role("navigation", name="Main", exact=True).get_by_role("link", name="Statements").click()
    page.get_by_role("link", name="March 2026", exact=True).click()
    expect(page.locator("main .badge").first).to_contain_text("Paid 16 Apr")
    expect(page.get_by_role("main")).to_contain_text("£80.00")
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    taken = downloaded(page, lambda: page.get_by_role("link", name="Download PDF").click(), folder)
    assert taken.startswith(b"%PDF-")
    text = "".join(sheet.extract_text() for sheet in PdfReader(folder / "taken").pages)
    assert "£80.00" in text
    assert "Studio Prado" in text


def downloaded(page: Page, click: Callable[[], None], folder: Path) -> bytes:
    """Return what the browser saves after `click`."""
    with page.expect_download() as waiting:
        click()
    waiting.value.save_as(folder / "taken")
    return (folder / "taken").read_bytes()
