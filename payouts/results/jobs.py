"""Import a large file in the background: it is kept until a worker has taken it, and a worker that dies leaves it to the next one. Every
file that was only looked at is thrown away after a day."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from payouts.models import ResultFile
from payouts.results import booking
from payouts.results.matching import Plan
from prm.accounts import policy
from prm.accounts.models import User
from prm.lib.errors import Refused
from prm.lib.ids import ulid
from prm.lib.money import Money
from prm.runs import lifecycle
from prm.runs.models import Run
from prm.runs.progress import Reporter
from tiers.models import LegalEntity

RUN_KIND = "payouts.results"
AT_ONCE = 500  # with more bookings than this nobody should wait for a page
_FOLDER = "results"
_KEPT = timedelta(days=1)


class NoLongerHere(Refused):
    message = _("The file is not here any more. Load it up again.")
    field = "file"


def keep(content: bytes, *, at: datetime) -> str:
    """Keep an uploaded file for the next step, and return the word to ask for it by."""
    _tidy(at=at)
    word = ulid()
    default_storage.save(_path(word), ContentFile(content))
    return word


def kept(word: str) -> bytes:
    """Return a file that was kept.

    Raises: NoLongerHere.
    """
    if not word.isalnum() or not default_storage.exists(_path(word)):
        raise NoLongerHere
    with default_storage.open(_path(word), "rb") as file:
        return bytes(file.read())


def drop(word: str) -> None:
    """Throw a kept file away."""
    default_storage.delete(_path(word))


def start(entity: LegalEntity, *, word: str, name: str, by: User, at: datetime) -> Run:
    """Put the import of a kept file in the queue.

    Raises: Forbidden, NoLongerHere, AlreadyRunning.
    """
    policy.require(by, "settle_pay_runs")
    sha256 = hashlib.sha256(kept(word)).hexdigest()
    with transaction.atomic():
        return lifecycle.start(
            RUN_KIND,
            title=f"Results of the bank: {name[-100:]}",
            at=at,
            by=by,
            subject=f"{entity.number_prefix}:results",
            phases=[booking.PHASE],
            parameters={"entity": entity.pk, "word": word, "name": name, "sha256": sha256},
        )


def carry_out(run: Run, reporter: Reporter, *, at: datetime) -> Mapping[str, Any]:
    """Import the file a run is about; one that was taken already answers with what it did.

    Raises: Forbidden, NoLongerHere, NotRead, WrongRows, Mismatch.
    """
    wanted = run.parameters
    done = ResultFile.objects.filter(legal_entity=wanted["entity"], sha256=wanted["sha256"]).first()
    if done is not None:  # a worker before this one was stopped after it had booked everything
        return facts_of(done)
    if run.created_by_id is None:
        raise LookupError("Results are booked in somebody's name, and this run has none.")
    by = User.objects.get(pk=run.created_by_id)
    file = booking.import_file(
        LegalEntity.objects.get(pk=wanted["entity"]),
        name=wanted["name"],
        content=kept(wanted["word"]),
        by=by,
        at=at,
        reporter=reporter,
    )
    drop(wanted["word"])
    return facts_of(file)


def facts_of(file: ResultFile) -> dict[str, Any]:
    """Return what an import did, in plain values."""
    return {
        "file": file.public_id,
        "format": file.format,
        "rows": file.row_count,
        "settled": file.settled_count,
        "came_back": file.returned_count,
        "known": file.known_count,
        "foreign": file.foreign_count,
        "waiting": waiting_in(file),
        "sums": sums_of(file),
    }


def facts_of_plan(plan: Plan) -> dict[str, Any]:
    """Return what an import would do, in the same words."""
    return {
        "rows": plan.rows,
        "settled": len(plan.settled),
        "came_back": len(plan.came_back),
        "known": plan.known,
        "foreign": plan.foreign,
        "waiting": plan.waiting,
        "sums": {
            word: {currency: str(money.decimal()) for currency, money in totals.items()}
            for word, totals in totals_of(plan).items()
        },
        "faults": [
            {"row": fault.row, "about": fault.about, "message": fault.words} for fault in plan.faults.kept
        ],
    }


def totals_of(plan: Plan) -> dict[str, dict[str, Money]]:
    """Return what a plan settles, takes back and pays in fees, by currency."""
    found: dict[str, dict[str, Money]] = {"settled": {}, "came_back": {}, "fees": {}}
    for word, matches in (("settled", plan.settled), ("came_back", plan.came_back)):
        for match in matches:
            _add(found[word], match.payment.sent)
            if match.fee:
                _add(found["fees"], match.fee)
    return found


def sums_of(file: ResultFile) -> dict[str, dict[str, str]]:
    """Return the same of an import that was made."""
    found: dict[str, dict[str, Money]] = {"settled": {}, "came_back": {}, "fees": {}}
    for result in file.results.select_related("payment").order_by("pk"):
        _add(found["settled" if result.outcome == "settled" else "came_back"], result.payment.sent)
        if result.fee_minor:
            _add(found["fees"], Money(result.fee_minor, result.fee_currency))
    return {
        word: {currency: str(money.decimal()) for currency, money in totals.items()}
        for word, totals in found.items()
    }


def waiting_in(file: ResultFile) -> int:
    """Return how many bookings of a file were not final yet."""
    counted = file.settled_count + file.returned_count + file.known_count + file.foreign_count
    return max(file.row_count - counted, 0)


def _add(totals: dict[str, Money], money: Money) -> None:
    totals[money.currency] = totals[money.currency] + money if money.currency in totals else money


def _path(word: str) -> str:
    return f"{_FOLDER}/{word}.dat"


def _tidy(*, at: datetime) -> None:
    """Throw away what somebody looked at and never confirmed; nothing of a bank is left lying about."""
    if not default_storage.exists(_FOLDER):
        return
    for name in default_storage.listdir(_FOLDER)[1]:
        path = f"{_FOLDER}/{name}"
        if default_storage.get_modified_time(path) < at - _KEPT:
            default_storage.delete(path)
