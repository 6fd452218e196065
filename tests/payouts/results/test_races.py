"""Of two people who book the same result at the same moment, one does it and the other finds it done."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from payouts import pay_runs
from payouts.choices import AccountKind
from payouts.models import Payment, PaymentResult, PayRun, ResultFile, Transaction
from prm.lib.errors import Refused
from prm.mail.models import OutgoingMail
from tests.payouts.results.bank import APRIL_7, balance, on_its_way, owed, payment, table, take, written
from tests.people import felix, fiona

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Do several things that begin together; refusals are results too."""
    start = Barrier(len(works))

    def one(work: Callable[[], Any]) -> Any:
        try:
            start.wait(timeout=20)
            return work()
        except Refused as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return [each.result(timeout=60) for each in [pool.submit(one, work) for work in works]]


def test_a_file_imported_twice_at_once_is_booked_once() -> None:
    house = owed()
    on_its_way(house)
    fiona()
    content = written("camt053_02.xml")
    files = at_once(*[lambda: take(content)] * 4)
    assert len({file.pk for file in files}) == 1
    assert ResultFile.objects.count() == 1
    assert PaymentResult.objects.count() == 2
    assert Transaction.objects.filter(kind="payment_settled").count() == 2
    assert balance(house, AccountKind.CASH) == 240_35


def test_a_file_of_strangers_imported_twice_at_once_is_stored_once() -> None:
    owed()
    fiona()
    content = table("RENT-APRIL,settled,,,,,")
    files = at_once(*[lambda: take(content)] * 4)
    assert len({file.pk for file in files}) == 1


def test_two_files_with_the_same_result_at_once_book_it_once() -> None:
    on_its_way(owed())
    fiona()
    name = payment("ANA").end_to_end_id
    first, second = at_once(
        lambda: take(table(f"{name},settled,A,,,,")), lambda: take(table(f"{name},settled,B,,,,"))
    )
    assert first.settled_count + second.settled_count == 1
    assert first.known_count + second.known_count == 1
    assert Transaction.objects.filter(kind="payment_settled").count() == 1


def test_of_paid_and_failed_at_the_same_moment_one_wins() -> None:
    house = owed()
    run = on_its_way(house)
    people = fiona(), felix()
    seen = payment("ANA")
    at_once(
        lambda: pay_runs.settle(PayRun.objects.get(pk=run.pk), by=people[0], at=APRIL_7, payments=[seen]),
        lambda: pay_runs.fail(seen, reason="Account closed", by=people[1], at=APRIL_7),
    )
    ended = Payment.objects.get(pk=seen.pk)
    [result] = PaymentResult.objects.filter(payment=seen)
    assert ended.state == result.outcome
    kinds = Transaction.objects.filter(key__endswith=seen.public_id).exclude(kind="payment_instructed")
    assert kinds.count() == 1
    expected = (80_00, 0) if ended.state == "settled" else (0, 80_00)
    assert (balance(house, AccountKind.CASH), balance(house, AccountKind.PAYABLE, "ANA")) == expected
    assert OutgoingMail.objects.filter(kind__in=["payment_sent", "payment_failed"]).count() == 1


def test_an_import_and_a_mark_by_hand_at_once_book_a_payment_once() -> None:
    house = owed()
    run = on_its_way(house)
    people = fiona(), felix()
    content = written("camt053_02.xml")
    at_once(
        lambda: take(content),
        lambda: pay_runs.settle(PayRun.objects.get(pk=run.pk), by=people[1], at=APRIL_7),
    )
    assert PaymentResult.objects.count() == Payment.objects.filter(state="settled").count() == 3
    assert Transaction.objects.filter(kind="payment_settled").count() == 3
