"""Hold what a bank says against what we sent. Nothing is booked here: the answer is a plan, with every booking counted once, or the faults
for which the whole file is refused."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from django.utils.translation import gettext as _

from payouts.choices import PaymentState, ResultOutcome
from payouts.models import Payment, PaymentResult
from payouts.results import batches
from payouts.results.facts import Booking, Faults, ResultsRead, Says
from prm.lib.money import Money
from tiers.models import LegalEntity

# What `pay_runs.common.bank_id` makes of a payment's public id, and the same of a run's.
_OUR_SHAPE = re.compile(r"PAY-[0-9A-HJKMNP-TV-Z]{26}")
_OUR_FILES = re.compile(r"PRN-[0-9A-HJKMNP-TV-Z]{26}")
_AT_ONCE = 500
_NEVER_SENT = (PaymentState.QUEUED, PaymentState.CANCELLED)
_CAME_BACK = (PaymentState.FAILED, PaymentState.RETURNED)


@dataclass(frozen=True, slots=True)
class Match:
    """A booking and the payment it is about."""

    payment: Payment
    booking: Booking
    fee: Money | None = None


@dataclass
class Plan:
    """What importing a file would do."""

    rows: int = 0
    settled: list[Match] = field(default_factory=list)
    came_back: list[Match] = field(default_factory=list)
    known: int = 0
    foreign: int = 0
    waiting: int = 0
    faults: Faults = field(default_factory=Faults)

    def in_order(self) -> Iterator[Match]:
        """Yield what is to be booked: of one payment first that it was paid, then that it came back."""
        yield from self.settled
        yield from self.came_back


@dataclass(frozen=True)
class Named:
    """The bookings of a file with batches told apart into their payments."""

    bookings: Sequence[Booking]
    payments: dict[str, Payment]


def named(entity: LegalEntity, read: ResultsRead) -> Named:
    """Return the payments a file names, and its bookings one by one."""
    single = [each for each in read.bookings if not each.is_of_a_batch]
    told = {each.end_to_end_id for each in single}
    bookings = list(single)
    for whole in (each for each in read.bookings if each.is_of_a_batch):
        ids = batches.payments_in(entity, message_id=whole.message_id, batch_id=whole.batch_id) or []
        ids = _booked_in(whole, ids)
        # What the bank says of a single transfer holds for it, whatever it says of the rest.
        parts = [replace(whole, end_to_end_id=each, amount=None) for each in ids if each not in told]
        bookings.extend(parts or [whole])
    return Named(bookings, _payments({each.end_to_end_id for each in bookings}))


def _booked_in(whole: Booking, ids: list[str]) -> list[str]:
    """Return the payments a sum is about: all of the batch, or all the bank had not refused before when the sum says so."""
    if whole.amount is None or whole.says is not Says.PAID:
        return ids
    known = _payments(ids)
    left = [each for each in ids if each in known and known[each].state != PaymentState.FAILED]
    sent = [known[each].sent for each in left]
    if not sent or len(left) == len(ids) or len({each.currency for each in sent}) > 1:
        return ids
    return left if whole.amount.money(sent[0].currency) == Money.total(sent, sent[0].currency) else ids


def _payments(ids: Iterable[str]) -> dict[str, Payment]:
    found: dict[str, Payment] = {}
    wanted = sorted(each for each in ids if each)
    for start in range(0, len(wanted), _AT_ONCE):
        rows = (
            Payment.objects.filter(end_to_end_id__in=wanted[start : start + _AT_ONCE])
            .select_related(
                "statement", "membership__partner", "membership__program", "pay_run__legal_entity"
            )
            .defer("iban", "details")
        )
        found |= {row.end_to_end_id: row for row in rows}
    return found


def plan(entity: LegalEntity, read: ResultsRead) -> Plan:
    """Return what the file would book as things stand now, or its faults."""
    return of(entity, named(entity, read), read)


def of(entity: LegalEntity, told: Named, read: ResultsRead) -> Plan:
    """Return the plan for bookings whose payments are read already."""
    made = Plan(rows=len(told.bookings))
    _batches_add_up(entity, read, told, made)
    by_payment: dict[int, list[Match]] = defaultdict(list)
    for booking in told.bookings:
        payment = told.payments.get(booking.end_to_end_id)
        if payment is None:
            _nobodys(booking, made)
        elif _fits(entity, payment, booking, made):
            if booking.says is Says.WAITING:
                made.waiting += 1
            else:
                fee = booking.fee.money(payment.sent_currency) if booking.fee is not None else None
                by_payment[payment.pk].append(Match(payment, booking, fee))
    known = _known(by_payment)
    for matches in by_payment.values():
        _decide(matches, known, made)
    return made


def _nobodys(booking: Booking, made: Plan) -> None:
    """Count a booking of something else, or refuse an id that looks like ours and is not."""
    if _OUR_SHAPE.fullmatch(booking.end_to_end_id):
        made.faults.add(
            booking.row,
            booking.end_to_end_id,
            _(
                "no payment has this id. Ask the bank where it comes from; if the file belongs to another installation,"
                " import it there."
            ),
        )
    elif booking.is_of_a_batch and _OUR_FILES.match(booking.message_id or booking.batch_id):
        made.faults.add(
            booking.row,
            booking.message_id or booking.batch_id,
            _("we made no such file for this legal entity. Choose the entity whose account it is."),
        )
    else:
        made.foreign += 1


def _fits(entity: LegalEntity, payment: Payment, booking: Booking, made: Plan) -> bool:
    """Say whether a booking can be about this payment, and note why not."""
    before = made.faults.count
    if payment.pay_run.legal_entity_id != entity.pk:
        words = _("it was paid by %(owner)s. Import the file for that legal entity.")
        made.faults.add(
            booking.row, booking.end_to_end_id, words % {"owner": payment.pay_run.legal_entity.name}
        )
    elif payment.state in _NEVER_SENT:
        words = _("this payment was never sent; it is %(state)s. Ask the bank what it booked.")
        state = PaymentState(payment.state).label.lower()
        made.faults.add(booking.row, booking.end_to_end_id, words % {"state": state})
    else:
        _compare_amounts(payment, booking, made)
    return made.faults.count == before


def _compare_amounts(payment: Payment, booking: Booking, made: Plan) -> None:
    fee = booking.fee.money(payment.sent_currency) if booking.fee is not None else None
    if booking.fee is not None and fee is None:
        words = _("the fee %(fee)s is no amount of its currency. Correct the file.")
        made.faults.add(booking.row, booking.end_to_end_id, words % {"fee": booking.fee})
    if booking.amount is None:
        return
    amount = booking.amount.money(payment.sent_currency)
    if amount != payment.sent and not _is_less_the_fee(payment, booking, amount, fee):
        words = _("it says %(found)s, and we sent %(sent)s. Ask the bank, or mark the payment by hand.")
        made.faults.add(
            booking.row, booking.end_to_end_id, words % {"found": booking.amount, "sent": payment.sent}
        )


def _is_less_the_fee(payment: Payment, booking: Booking, amount: Money | None, fee: Money | None) -> bool:
    """Say whether the amount differs by exactly the fee the bank names: kept from what came back, or added to what left."""
    if amount is None or fee is None or {amount.currency, fee.currency} != {payment.sent_currency}:
        return False
    difference = payment.sent - amount
    return difference == (fee if booking.says is Says.CAME_BACK else -fee)


def _known(by_payment: Iterable[int]) -> dict[tuple[int, str], PaymentResult]:
    ids = sorted(by_payment)
    found: dict[tuple[int, str], PaymentResult] = {}
    for start in range(0, len(ids), _AT_ONCE):
        for row in PaymentResult.objects.filter(payment__in=ids[start : start + _AT_ONCE]):
            found[row.payment_id, row.outcome] = row
    return found


def _decide(matches: list[Match], known: dict[tuple[int, str], PaymentResult], made: Plan) -> None:
    """Tell apart, for one payment, what is new, what was known and what cannot follow."""
    paid = [match for match in matches if match.booking.says is Says.PAID]
    back = [match for match in matches if match.booking.says is Says.CAME_BACK]
    state = matches[0].payment.state
    if state == PaymentState.SENT and paid:
        made.settled.append(paid.pop(0))
    elif state in _CAME_BACK and paid and not back:
        paid = [match for match in paid if not _cannot_follow(match, known, made)]
    if state not in _CAME_BACK and back:
        made.came_back.append(back.pop(0))
    made.known += len(paid) + len(back)


def _cannot_follow(match: Match, known: dict[tuple[int, str], PaymentResult], made: Plan) -> bool:
    """Refuse money that is said to have arrived after it had come back; an older booking told once more is known."""
    payment, booking = match.payment, match.booking
    came_back = known.get((payment.pk, ResultOutcome.RETURNED)) or known.get(
        (payment.pk, ResultOutcome.FAILED)
    )
    was_paid = (payment.pk, ResultOutcome.SETTLED) in known or payment.state == PaymentState.RETURNED
    returned_on = came_back.booked_on if came_back is not None else None
    is_later = bool(booking.booked_on and returned_on and booking.booked_on > returned_on)
    if was_paid and not is_later:
        return False
    made.faults.add(
        booking.row,
        booking.end_to_end_id,
        _(
            "it is said to be paid, but it came back before and is owed again. Ask the bank whether it paid after all,"
            " and stop the next payment to this partner until it answers."
        ),
    )
    return True


def _batches_add_up(entity: LegalEntity, read: ResultsRead, told: Named, made: Plan) -> None:
    """Compare the sum of a batch with what we sent in it."""
    for whole in read.bookings:
        if not whole.is_of_a_batch or whole.amount is None:
            continue
        ids = batches.payments_in(entity, message_id=whole.message_id, batch_id=whole.batch_id) or []
        sent = [told.payments[each].sent for each in _booked_in(whole, ids) if each in told.payments]
        if not sent:
            continue
        currencies = {each.currency for each in sent}
        currency = sent[0].currency
        total = Money.total(sent, currency) if len(currencies) == 1 else None
        if whole.amount.money(currency) != total:
            words = _(
                "the batch is said to be %(found)s, and we sent %(sent)s. Ask the bank for the single bookings."
            )
            made.faults.add(
                whole.row,
                whole.message_id or whole.batch_id,
                words % {"found": whole.amount, "sent": total or ", ".join(sorted(currencies))},
            )
