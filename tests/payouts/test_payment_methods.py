"""An account is checked before it is kept, kept unreadable, and waits before it is paid to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from partners.models import Member, Partner
from payouts import payment_methods
from payouts.models import PaymentMethod
from payouts.payment_methods import ibans
from prm.audit.models import AuditEvent
from prm.mail.models import OutgoingMail
from tests.people import ada, ana, fiona, mats

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 4, 3, 9, tzinfo=UTC)
GOOD = "GB33 BUKB 2020 1555 5555 55"
OTHER = "GB29 NWBK 6016 1331 9268 19"


@pytest.fixture
def partner() -> Partner:
    partner = Partner.objects.create(name="Studio Prado", email="office@prado.example")
    Member.objects.create(partner=partner, user=ana(), role="owner", joined_at=NOW)
    return partner


def add(partner: Partner, **changes: object) -> PaymentMethod:
    values = {"currency": "GBP", "holder": "Studio Prado Ltd", "iban": GOOD, "by": ana(), "at": NOW}
    return payment_methods.add(partner, **{**values, **changes})  # type: ignore[arg-type]


# Published examples of national IBAN formats, and the same with single faults.
@pytest.mark.parametrize(
    "iban",
    [
        "GB82 WEST 1234 5698 7654 32",
        "BE68 5390 0754 7034",
        "de89370400440532013000",
        "MT84MALT011000012345MTLCAST001S",
    ],
)
def test_genuine_ibans_are_taken_however_they_are_written(iban: str) -> None:
    assert payment_methods.checked_iban(iban) == iban.replace(" ", "").upper()


@pytest.mark.parametrize(
    ("iban", "refusal"),
    [
        ("", payment_methods.BadIban),
        ("12345678", payment_methods.BadIban),
        ("GB33BUKB20201555555556", payment_methods.WrongCheckDigits),
        ("GB33BUKB20201555555", payment_methods.WrongIbanLength),
        ("DE8937040044053201300", payment_methods.WrongIbanLength),
        ("ZZ68539007547034", payment_methods.UnknownIbanCountry),
        ("GB33BUKBA0201555555555", payment_methods.WrongCheckDigits),
        ("GB33BUKB2020155555555٥", payment_methods.BadIban),  # an Arabic-Indic five
    ],
)
def test_an_iban_with_a_fault_is_refused_with_the_fault_named(iban: str, refusal: type[Exception]) -> None:
    with pytest.raises(refusal) as caught:
        payment_methods.checked_iban(iban)
    assert type(caught.value) is refusal


@pytest.mark.parametrize("digits", ["00", "01", "99"])
def test_check_digits_no_bank_gives_out_are_refused(digits: str) -> None:
    # A remainder of 1 is not enough: these pairs satisfy it for accounts whose real digits are 97, 98 and 02.
    account = next(
        f"GB{digits}WEST{number:014d}"
        for number in range(1, 2000)
        if ibans.remainder(f"GB{digits}WEST{number:014d}") == 1
    )
    with pytest.raises(payment_methods.WrongCheckDigits):
        payment_methods.checked_iban(account)


def test_the_length_refusal_says_what_was_expected() -> None:
    with pytest.raises(payment_methods.WrongIbanLength) as caught:
        payment_methods.checked_iban("GB33BUKB20201555555")
    assert str(caught.value) == "An IBAN from GB has 22 characters, this one has 19."
    assert caught.value.field == "iban"


@pytest.mark.parametrize("bic", ["ABC", "BUKBGB2", "BUKBQQ22", "BUKBGB22ZZZZ"])
def test_a_bic_with_a_fault_is_refused(partner: Partner, bic: str) -> None:
    with pytest.raises(payment_methods.BadBic):
        add(partner, bic=bic)
    assert not PaymentMethod.objects.exists()


@pytest.mark.parametrize("holder", ["", "   ", "x" * 71, "a\x00b", "a\u202eb"])
def test_a_holder_nobody_can_be_is_refused(partner: Partner, holder: str) -> None:
    with pytest.raises(payment_methods.BadHolder):
        add(partner, holder=holder)


def test_a_currency_that_is_none_is_refused(partner: Partner) -> None:
    with pytest.raises(payment_methods.BadCurrency):
        add(partner, currency="XXY")


def test_the_number_is_stored_unreadable_and_found_by_a_blind_index(partner: Partner) -> None:
    method = add(partner, bic="BUKBGB22")
    with connection.cursor() as cursor:
        cursor.execute("SELECT iban, account_index FROM payouts_paymentmethod")
        stored, index = cursor.fetchone()
    assert "BUKB" not in stored and "BUKB" not in index
    fresh = PaymentMethod.objects.get(pk=method.pk)
    assert (fresh.iban, fresh.ending, fresh.bic) == ("GB33BUKB20201555555555", "5555", "BUKBGB22")


def test_a_new_account_waits_three_days(partner: Partner) -> None:
    method = add(partner)
    assert method.usable_at == NOW + timedelta(hours=72)
    assert not method.is_usable(at=NOW + timedelta(hours=71))
    assert method.is_usable(at=NOW + timedelta(hours=72))


def test_a_second_account_replaces_the_first(partner: Partner) -> None:
    first = add(partner)
    second = add(partner, iban=OTHER, at=NOW + timedelta(days=9))
    first.refresh_from_db()
    assert (first.replaced_at, first.replaced_by) == (NOW + timedelta(days=9), ana())
    assert list(PaymentMethod.objects.current()) == [second]
    assert not second.is_usable(at=NOW + timedelta(days=9))


def test_the_same_account_again_changes_nothing(partner: Partner) -> None:
    first = add(partner)
    assert add(partner, iban=GOOD.lower(), at=NOW + timedelta(days=9)) == first
    assert OutgoingMail.objects.filter(kind="bank_details_changed").count() == 2  # once to each mailbox


def test_each_currency_has_an_account_of_its_own(partner: Partner) -> None:
    add(partner)
    add(partner, currency="EUR", iban="DE89370400440532013000")
    assert PaymentMethod.objects.current().count() == 2


def test_the_database_refuses_two_open_accounts_in_one_currency(partner: Partner) -> None:
    method = add(partner)
    copy = PaymentMethod.objects.get(pk=method.pk)
    copy.pk, copy.public_id = None, "pmt_x"
    with pytest.raises(IntegrityError), transaction.atomic():
        copy.save(force_insert=True)


def test_old_and_new_contacts_hear_of_a_change(partner: Partner) -> None:
    add(partner)
    Member.objects.filter(user=ana()).update(role="marketing")
    add(partner, iban=OTHER, by=fiona(), at=NOW + timedelta(days=9))
    mails = OutgoingMail.objects.filter(kind="bank_details_changed", text__contains="6819").order_by("to")
    # Ana set the account before; the office address is the partner's contact.
    assert [mail.to for mail in mails] == [ana().email, "office@prado.example"]
    assert "GB29" not in mails[0].text


def test_only_the_partner_s_owners_and_finance_and_our_own_finance_may_set_it(partner: Partner) -> None:
    with pytest.raises(payment_methods.NotYourMoney):
        add(partner, by=mats())
    Member.objects.filter(user=ana()).update(role="sales")
    with pytest.raises(payment_methods.NotYourMoney):
        add(partner)
    Member.objects.filter(user=ana()).update(role="owner", ended_at=NOW, ended_by=ada())
    with pytest.raises(payment_methods.NotYourMoney):
        add(partner)
    assert not PaymentMethod.objects.exists()
    assert add(partner, by=fiona()).added_by == fiona()


def test_the_record_never_holds_the_number(partner: Partner) -> None:
    add(partner)
    event = AuditEvent.objects.get(action="payment_method.added")
    assert "BUKB" not in str(event.details)
    assert event.details["ending"] == "5555"
