"""Several hands at once: one account entered by two partners is noticed, and an account is removed or paid to, never both."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from threading import Lock
from typing import Any

import pytest

from partners.models import Partner
from payouts import payment_methods
from payouts.models import AccountSignal, Payment, PaymentMethod
from tests.factories.payouts import close_months, prepared
from tests.payouts.test_money_races import APRIL_3, MARCH, at_once, ready
from tests.people import ada, fiona

NOW = datetime(2026, 4, 3, 9, tzinfo=UTC)
IBAN = "GB29NWBK60161331926819"


@pytest.mark.django_db(transaction=True)
def test_one_account_entered_by_two_partners_at_the_same_instant_is_noticed() -> None:
    partners = [Partner.objects.create(name=name, email=f"{name}@x.example") for name in ("a", "b", "c")]
    by, turn, lock = ada(), count(), Lock()

    def enter() -> PaymentMethod:
        with lock:
            partner = partners[next(turn)]
        return payment_methods.add(partner, currency="GBP", holder="Somebody", iban=IBAN, by=by, at=NOW)

    assert len({method.partner_id for method in at_once(3, enter)}) == 3
    assert AccountSignal.objects.count() == 3  # one for each pair


@pytest.mark.django_db(transaction=True)
def test_an_account_is_removed_or_paid_to_never_both() -> None:
    house, by = ready(), ada()
    close_months(house.program, MARCH, at=APRIL_3)
    method, turn, lock = PaymentMethod.objects.get(), count(), Lock()
    fiona()

    def either() -> Any:
        with lock:
            is_first = next(turn) == 0
        if is_first:
            return payment_methods.remove(PaymentMethod.objects.get(pk=method.pk), by=by, at=APRIL_3)
        return prepared(house.program.legal_entity, at=APRIL_3)

    results = at_once(2, either)
    is_removed = any(isinstance(each, PaymentMethod) for each in results)
    assert is_removed != Payment.objects.filter(payment_method=method, state="queued").exists(), results
