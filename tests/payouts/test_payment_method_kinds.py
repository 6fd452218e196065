"""Each kind of payment method is checked by what can be checked of it, named by field when wrong, kept unreadable and shown in part."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from django.db import connection

from partners.models import Member, Membership, Partner
from payouts import payment_methods as methods
from payouts.models import PaymentMethod
from payouts.payment_methods.kinds import masked_mail
from prm.audit.models import AuditEvent
from prm.lib.errors import Refused
from prm.mail.models import OutgoingMail
from tests.factories.partners import MembershipFactory
from tests.factories.payout_rows import PaymentFactory
from tests.people import ana, fiona, mats

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 4, 3, 9, tzinfo=UTC)
US = {"routing_number": "021000021", "account_number": "1234567890", "account_type": "checking"}
MAIL = {"email": "Ana@Prado.example"}
WORDS = {"instructions": "Cheque by post to the studio."}


@pytest.fixture
def partner() -> Partner:
    membership: Membership = MembershipFactory.create()
    Member.objects.create(partner=membership.partner, user=ana(), role="owner", joined_at=NOW)
    return membership.partner


def add(partner: Partner, kind: str, details: dict[str, str], **more: object) -> PaymentMethod:
    values = {
        "currency": "GBP",
        "holder": "Ana Prado",
        "kind": kind,
        "details": details,
        "by": ana(),
        "at": NOW,
    }
    if kind == "us_account":
        values["payout_currency"] = "USD"
    return methods.add(partner, **{**values, **more})  # type: ignore[arg-type]


# 3(d1+d4+d7) + 7(d2+d5+d8) + (d3+d6+d9) is a multiple of ten. By hand:
# 021000021: 3(0+0+0) + 7(2+0+2) + (1+0+1) = 28 + 2 = 30.   011000015: 3(0+0+0) + 7(1+0+1) + (1+0+5) = 14 + 6 = 20.
# 122105155: 3(1+1+1) + 7(2+0+5) + (2+5+5) = 9 + 49 + 12 = 70.
@pytest.mark.parametrize("number", ["021000021", "0110-0001-5", "122 105 155"])
def test_a_routing_number_is_taken_by_its_check_digit(number: str) -> None:
    assert methods.checked_routing_number(number) == "".join(filter(str.isdigit, number))


@pytest.mark.parametrize(
    ("kind", "details", "refusal", "field"),
    [
        ("us_account", {**US, "routing_number": "021000022"}, methods.WrongRoutingDigits, "routing_number"),
        ("us_account", {**US, "routing_number": "012000021"}, methods.WrongRoutingDigits, "routing_number"),
        ("us_account", {**US, "routing_number": "02100002"}, methods.BadRoutingNumber, "routing_number"),
        ("us_account", {**US, "routing_number": "500000005"}, methods.BadRoutingNumber, "routing_number"),
        ("us_account", {**US, "routing_number": "000000000"}, methods.WrongRoutingDigits, "routing_number"),
        ("us_account", {**US, "routing_number": "٠٢١٠٠٠٠٢١"}, methods.BadRoutingNumber, "routing_number"),
        ("us_account", {**US, "account_number": "123"}, methods.BadAccountNumber, "account_number"),
        ("us_account", {**US, "account_number": "1" * 18}, methods.BadAccountNumber, "account_number"),
        ("us_account", {**US, "account_number": "0000"}, methods.BadAccountNumber, "account_number"),
        ("us_account", {**US, "account_type": "loan"}, methods.BadAccountType, "account_type"),
        ("paypal", {}, methods.BadAddressOfMail, "email"),
        ("paypal", {"email": "ana at prado"}, methods.BadAddressOfMail, "email"),
        ("wise", {"email": "ana@prado@example.org"}, methods.BadAddressOfMail, "email"),
        ("other", {"instructions": "  "}, methods.BadInstructions, "instructions"),
        ("other", {"instructions": "x" * 501}, methods.BadInstructions, "instructions"),
        ("other", {"instructions": "cash\u202e"}, methods.BadInstructions, "instructions"),
        ("mattress", {}, methods.BadKind, "kind"),
    ],
)
def test_what_is_wrong_is_named_by_field_and_nothing_is_kept(
    partner: Partner, kind: str, details: dict[str, str], refusal: type[Refused], field: str
) -> None:
    with pytest.raises(refusal) as caught:
        add(partner, kind, details)
    assert type(caught.value) is refusal and caught.value.field == field
    assert not PaymentMethod.objects.exists() and not AuditEvent.objects.exists()


def test_a_us_account_receives_dollars_and_nothing_else(partner: Partner) -> None:
    with pytest.raises(methods.OnlyDollars) as refusal:
        add(partner, "us_account", US, payout_currency="GBP")
    assert refusal.value.field == "payout_currency"
    with pytest.raises(methods.BadPayoutCurrency):
        add(partner, "paypal", MAIL, payout_currency="XXY")
    assert not PaymentMethod.objects.exists()


@pytest.mark.parametrize(
    ("kind", "details", "shown", "secret"),
    [
        ("us_account", US, "US account ending 7890", "1234567890"),
        ("us_account", {**US, "account_number": "4711"}, "US account ending 11", "4711"),
        ("paypal", MAIL, "PayPal A•••@Prado.example", "Ana@Prado"),
        ("wise", MAIL, "Wise A•••@Prado.example", "Ana@Prado"),
        ("other", WORDS, "Another way, as agreed", "Cheque"),
    ],
)
def test_it_is_kept_unreadable_and_shown_in_part_everywhere(
    partner: Partner, kind: str, details: dict[str, str], shown: str, secret: str
) -> None:
    method = add(partner, kind, details)
    with connection.cursor() as cursor:
        cursor.execute("SELECT details, iban, ending, account_index FROM payouts_paymentmethod")
        row = cursor.fetchone()
    assert secret not in repr(row)
    assert json.loads(PaymentMethod.objects.get(pk=method.pk).details) == details
    assert str(method) == shown
    mails = [f"{mail.subject} {mail.text} {mail.html}" for mail in OutgoingMail.objects.all()]
    told = [repr(list(AuditEvent.objects.values())), *mails]
    assert mails and all(shown in text for text in mails)
    assert not any(secret in text for text in told)


def test_masked_addresses_fit_their_column() -> None:
    assert masked_mail("ana@prado.example") == "a•••@prado.example"
    assert masked_mail("a@" + "x" * 60 + ".example") == "a•••@" + "x" * 34 + "…"


def test_another_kind_takes_the_place_of_the_account_before_and_the_same_again_changes_nothing(
    partner: Partner,
) -> None:
    first = add(partner, "paypal", MAIL)
    assert add(partner, "paypal", {"email": " Ana@Prado.example "}) == first
    second = add(partner, "wise", MAIL)
    assert [PaymentMethod.objects.current().get(), PaymentMethod.objects.count()] == [second, 2]
    third = add(partner, "wise", MAIL, payout_currency="EUR")
    assert third != second and third.payout_currency == "EUR"
    savings = add(partner, "us_account", US)
    assert add(partner, "us_account", {**US, "account_type": "savings"}) != savings


def test_removing_stops_payments_and_is_told(partner: Partner) -> None:
    method = add(partner, "paypal", MAIL)
    gone = methods.remove(method, by=fiona(), at=NOW)
    assert (gone.replaced_at, gone.replaced_by) == (NOW, fiona())
    assert AuditEvent.objects.filter(action="payment_method.removed", actor=fiona()).count() == 1
    mail = OutgoingMail.objects.get(kind="bank_details_removed", to=ana().email)
    assert "PayPal A•••@Prado.example" in mail.text
    with pytest.raises(methods.NoLongerUsed):
        methods.remove(method, by=ana(), at=NOW)


def test_only_who_looks_after_the_money_removes_an_account(partner: Partner) -> None:
    method = add(partner, "paypal", MAIL)
    with pytest.raises(methods.NotYourMoney):
        methods.remove(method, by=mats(), at=NOW)
    assert PaymentMethod.objects.current().exists()


def test_an_account_a_queued_payment_goes_to_stays(partner: Partner) -> None:
    method = add(partner, "paypal", MAIL)
    payment = PaymentFactory.create(payment_method=method, membership=partner.memberships.get())
    with pytest.raises(methods.PaymentUnderWay):
        methods.remove(method, by=ana(), at=NOW)
    assert PaymentMethod.objects.current().get() == method
    type(payment).objects.filter(pk=payment.pk).update(state="cancelled")
    methods.remove(method, by=ana(), at=NOW)


ADDRESS = {
    "street": "Calle del Prado",
    "building_number": "12",
    "postcode": "28014",
    "town": "Madrid",
    "country": "Spain",
}


def test_the_address_is_kept_in_parts_and_its_change_recorded_without_it(partner: Partner) -> None:
    methods.set_address(partner, **ADDRESS, by=ana(), at=NOW)
    partner.refresh_from_db()
    assert {name: getattr(partner, name) for name in ADDRESS} == ADDRESS
    assert methods.missing_parts(partner) == []
    methods.set_address(partner, **ADDRESS, by=ana(), at=NOW)
    event = AuditEvent.objects.get(action="partner.address_changed")
    assert set(event.details) == {"changed"} and "Madrid" not in repr(event.details)


@pytest.mark.parametrize(
    ("change", "refusal", "field"),
    [
        ({"street": " "}, methods.BadAddress, "street"),
        ({"town": ""}, methods.BadAddress, "town"),
        ({"town": "x" * 36}, methods.AddressTooLong, "town"),
        ({"street": "a\u202eb"}, methods.BadAddress, "street"),
        ({"country": "Atlantis"}, methods.BadCountry, "country"),
    ],
)
def test_a_part_the_bank_refuses_is_refused_by_name(
    partner: Partner, change: dict[str, str], refusal: type[Refused], field: str
) -> None:
    before = Partner.objects.values().get(pk=partner.pk)
    with pytest.raises(refusal) as caught:
        methods.set_address(partner, **{**ADDRESS, **change}, by=ana(), at=NOW)
    assert caught.value.field == field
    assert Partner.objects.values().get(pk=partner.pk) == before


def test_strangers_change_no_address(partner: Partner) -> None:
    with pytest.raises(methods.NotYourMoney):
        methods.set_address(partner, **ADDRESS, by=mats(), at=NOW)
