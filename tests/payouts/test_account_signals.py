"""The same account at two partners is noticed once, stays noticed until a person clears it with a note, and is read by pay runs."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from partners.models import Partner
from payouts import payment_methods, signals_of_accounts
from payouts.models import AccountSignal, PaymentMethod
from prm.accounts.policy import Forbidden
from prm.audit.models import AuditEvent
from tests.people import ada, felix, fiona, mats

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 4, 3, 9, tzinfo=UTC)
IBAN, OTHER = "GB33BUKB20201555555555", "GB29NWBK60161331926819"


def partner(name: str) -> Partner:
    return Partner.objects.create(name=name, email=f"{name.lower()}@x.example")


def add(whose: Partner, iban: str = IBAN, **more: object) -> PaymentMethod:
    values = {"currency": "GBP", "holder": whose.name, "iban": iban, "by": ada(), "at": NOW}
    return payment_methods.add(whose, **{**values, **more})  # type: ignore[arg-type]


def test_one_account_at_two_partners_raises_one_signal() -> None:
    first, second = add(partner("Prado")), add(partner("Lind"), iban="gb33 bukb 2020 1555 5555 55")
    signal = AccountSignal.objects.get()
    assert (signal.method, signal.other, signal.raised_at) == (second, first, NOW)
    assert AuditEvent.objects.filter(action="account_signal.raised").count() == 1
    assert signals_of_accounts.look_for(first, at=NOW) == [] == signals_of_accounts.look_for(second, at=NOW)
    assert signals_of_accounts.open_signals_for([first.pk, second.pk]) == {
        first.pk: [signal],
        second.pk: [signal],
    }


def test_a_third_partner_makes_a_pair_with_each() -> None:
    for name in ("Prado", "Lind", "Watt"):
        add(partner(name))
    assert AccountSignal.objects.count() == 3


def test_other_accounts_own_accounts_and_former_ones_raise_nothing() -> None:
    prado = partner("Prado")
    add(prado)
    add(prado, currency="EUR")  # the same partner, another balance
    add(partner("Lind"), iban=OTHER)
    former = partner("Watt")
    add(former, iban="DE89370400440532013000")
    add(former, iban="BE68539007547034")
    add(partner("Voss"), iban="DE89370400440532013000")
    assert not AccountSignal.objects.exists()


def test_one_address_of_mail_with_two_providers_is_two_accounts_and_words_are_none() -> None:
    prado, lind = partner("Prado"), partner("Lind")
    mail = {"email": "money@x.example"}
    add(prado, "", kind="paypal", details=mail)
    add(lind, "", kind="wise", details=mail)
    words = {"instructions": "Cheque by post."}
    add(prado, "", kind="other", details=words, currency="EUR")
    add(lind, "", kind="other", details=words, currency="EUR")
    assert not AccountSignal.objects.exists()
    add(lind, "", kind="paypal", details={"email": "Money@X.example"})
    assert AccountSignal.objects.count() == 1


def test_a_person_clears_it_with_a_note_once() -> None:
    first, second = add(partner("Prado")), add(partner("Lind"))
    signal = AccountSignal.objects.get()
    with pytest.raises(signals_of_accounts.NoNote):
        signals_of_accounts.clear(signal, note="  ", by=fiona(), at=NOW)
    with pytest.raises(signals_of_accounts.NoNote):
        signals_of_accounts.clear(signal, note="x" * 201, by=fiona(), at=NOW)
    with pytest.raises(Forbidden):
        signals_of_accounts.clear(signal, note="One owner.", by=mats(), at=NOW)
    assert signals_of_accounts.open_signals_for([first.pk])
    cleared = signals_of_accounts.clear(signal, note=" One  owner. ", by=fiona(), at=NOW)
    assert (cleared.note, cleared.cleared_by, cleared.cleared_at) == ("One owner.", fiona(), NOW)
    with pytest.raises(signals_of_accounts.AlreadyCleared):
        signals_of_accounts.clear(signal, note="Also me.", by=felix(), at=NOW)
    assert signals_of_accounts.open_signals_for([first.pk, second.pk]) == {}
    assert AuditEvent.objects.get(action="account_signal.cleared").note == "One owner."


def test_who_takes_the_account_away_ends_what_pay_runs_ask() -> None:
    first, second = add(partner("Prado")), add(partner("Lind"))
    payment_methods.remove(second, by=ada(), at=NOW)
    assert signals_of_accounts.open_signals_for([first.pk]) == {}
    again = add(second.partner)  # entered anew, looked at anew
    assert list(signals_of_accounts.open_signals_for([again.pk])) == [again.pk]
