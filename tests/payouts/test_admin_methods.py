"""The back office about accounts and rates: what finance sees of them, enters and clears, and what it never sees."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from partners.models import Partner
from payouts import payment_methods
from payouts.models import AccountSignal, FxRate, PaymentMethod
from prm.mail.models import OutgoingMail
from tests.desk import at_desk, words
from tests.factories.money_rows import FxRateFactory
from tests.house import open_house
from tests.people import ada, ana, fiona, mats

pytestmark = pytest.mark.django_db

RATES = reverse("admin:payouts_fxrate_changelist")
LIST = reverse("admin:payouts_paymentmethod_changelist")
IBAN = "GB33BUKB20201555555555"


@pytest.fixture
def partners() -> tuple[Partner, Partner]:
    house = open_house()
    return house.member("PRADO", owner=ana()).partner, house.member("LIND").partner


def add(partner: Partner, **more: object) -> PaymentMethod:
    values = {"currency": "GBP", "holder": partner.name, "iban": IBAN, "by": ada(), "at": timezone.now()}
    return payment_methods.add(partner, **{**values, **more})  # type: ignore[arg-type]


def test_the_rates_that_are_needed_come_first_and_gaps_are_said(partners: tuple[Partner, Partner]) -> None:
    today = timezone.localdate()
    add(partners[0], payout_currency="USD")
    add(partners[1], payout_currency="KWD", iban="GB29NWBK60161331926819")
    for code, rate in (("USD", "1.1"), ("GBP", "0.8")):
        FxRateFactory.create(base="EUR", quote=code, rate=Decimal(rate), rate_on=today - timedelta(days=2))
    FxRateFactory.create(base="GBP", quote="KWD", rate=Decimal("0.4"), rate_on=today - timedelta(days=9))
    text = words(at_desk(fiona()).get(RATES))
    assert "GBP → KWD – – Missing: payments in this pair are left out Enter a rate" in text
    assert "GBP → USD 1.375" in text and "2 days Computed from others" in text
    assert "9 days, Too old to be used" in text
    assert text.index("Missing") < text.index("Newest stored rates")


def test_a_file_is_imported_and_a_difference_refused_on_the_page() -> None:
    desk, day = at_desk(fiona()), timezone.localdate() - timedelta(days=1)

    def send(rate: str) -> str:
        file = SimpleUploadedFile("eurofxref.csv", f"Date,USD\n{day},{rate}\n".encode())
        return words(desk.post(reverse("admin:payouts_fxrate_import"), {"file": file}, follow=True))

    assert "1 rate is new." in send("1.0832")
    assert "Every rate of the file was stored already." in send("1.0832")
    assert f"The file says 1.09 for USD on {day}, but 1.0832 is stored" in send("1.09")
    assert FxRate.objects.get().rate == Decimal("1.0832")


def test_a_large_file_is_left_to_the_command_line() -> None:
    file = SimpleUploadedFile("hist.csv", b"x" * (1024 * 1024 + 1))
    answer = at_desk(fiona()).post(reverse("admin:payouts_fxrate_import"), {"file": file})
    assert answer.status_code == 422 and "manage.py import_fx_rates FILE" in words(answer)


def test_a_rate_is_entered_and_corrected_on_the_page() -> None:
    desk, url = at_desk(fiona()), reverse("admin:payouts_fxrate_enter")
    given = {"base": "GBP", "quote": "USD", "rate": "13", "rate_on": timezone.localdate().isoformat()}
    assert "is stored." in words(desk.post(url, given, follow=True))
    again = desk.post(url, {**given, "rate": "1.3"})
    assert again.status_code == 422 and "was entered for" in words(again)
    assert "is stored." in words(desk.post(url, {**given, "rate": "1.3", "corrects": "on"}, follow=True))
    assert [str(row.rate.normalize()) for row in FxRate.objects.order_by("pk")] == ["13", "1.3"]
    assert "GBP → USD 1.3" in words(desk.get(RATES))


def test_account_managers_neither_see_nor_enter_rates_and_accounts(partners: tuple[Partner, Partner]) -> None:
    method = add(partners[0])
    desk = at_desk(mats())
    for url in (
        RATES,
        reverse("admin:payouts_fxrate_import"),
        reverse("admin:payouts_fxrate_enter"),
        LIST,
        reverse("admin:payouts_accountsignal_changelist"),
        reverse("admin:payouts_paymentmethod_enter", args=[partners[0].pk, "GBP"]),
        reverse("admin:payouts_paymentmethod_remove", args=[method.pk]),
    ):
        assert desk.get(url).status_code == 403, url


def test_every_kind_is_listed_by_what_may_be_shown(partners: tuple[Partner, Partner]) -> None:
    account = {"routing_number": "021000021", "account_number": "1234567890", "account_type": "savings"}
    us = add(partners[0], kind="us_account", payout_currency="USD", details=account)
    add(partners[1], kind="paypal", details={"email": "money@lind.example"})
    desk = at_desk(fiona())
    pages = [desk.get(LIST), desk.get(reverse("admin:payouts_paymentmethod_change", args=[us.pk]))]
    said = words(pages[0])
    assert "US account ending 7890" in said and "PayPal m•••@lind.example" in said and "GBP → USD" in said
    assert not any(secret in page.content.decode() for page in pages for secret in ("1234567890", "money@"))


def test_staff_enter_an_account_that_waits_and_is_told(partners: tuple[Partner, Partner]) -> None:
    url = reverse("admin:payouts_paymentmethod_enter", args=[partners[0].pk, "GBP"])
    desk = at_desk(fiona())
    assert "Nothing is paid there for 72 hours." in words(desk.get(url))
    given = {"kind": "paypal", "holder": "Ana Prado", "payout_currency": "GBP", "email": "ana@prado.example"}
    assert desk.post(url, {**given, "email": "?"}).status_code == 422
    assert "PayPal a•••@prado.example is kept." in words(desk.post(url, given, follow=True))
    method = PaymentMethod.objects.get()
    assert method.usable_at - method.added_at == timedelta(hours=72)
    assert OutgoingMail.objects.filter(kind="bank_details_changed", to=ana().email).exists()


def test_staff_remove_an_account(partners: tuple[Partner, Partner]) -> None:
    url = reverse("admin:payouts_paymentmethod_remove", args=[add(partners[0]).pk])
    desk = at_desk(fiona())
    assert "wait until there is another account" in words(desk.get(url))
    assert "Nothing is paid to this account any more." in words(desk.post(url, follow=True))
    assert not PaymentMethod.objects.current().exists()


def test_a_shared_account_is_shown_with_both_partners_and_cleared(partners: tuple[Partner, Partner]) -> None:
    first, _second = add(partners[0]), add(partners[1])
    signal = AccountSignal.objects.get()
    url = reverse("admin:payouts_accountsignal_change", args=[signal.pk])
    desk = at_desk(fiona())
    assert "1 shared account to look at" in words(desk.get(LIST))
    assert words(desk.get(LIST + "?current=shared")).count("Shared") >= 2
    signals = words(desk.get(reverse("admin:payouts_accountsignal_changelist")))
    assert "Partner PRADO" in signals and "Partner LIND" in signals and "To look at" in signals
    assert "Partner LIND" in words(desk.get(reverse("admin:payouts_paymentmethod_change", args=[first.pk])))
    page = desk.get(url)
    assert "Both are paid to IBAN ending 5555. To look at." in words(page)
    assert IBAN not in page.content.decode()
    assert desk.post(url, {"note": ""}).status_code == 422
    assert "Cleared." in words(desk.post(url, {"note": "One owner."}, follow=True))
    assert "Cleared by Fiona Brandt" in words(desk.get(url))
    assert "0 shared accounts to look at" in words(desk.get(LIST))
