"""What a bank's file says, whatever its format: one booking after the other. Here nothing is known of payments; amounts are decimals as
written, and become money when a payment tells its currency."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from payouts.choices import ResultFormat
from prm.lib.errors import Refused
from prm.lib.money import Money, exponent

SHOWN = 5
LARGEST_AMOUNT = Decimal(10) ** 15


class Says(enum.Enum):
    """What a booking says of the payment it names."""

    PAID = "paid"
    CAME_BACK = "came_back"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Amount:
    """A number as the file has it; without a currency it is in the payment's."""

    number: Decimal
    currency: str = ""

    def money(self, currency: str) -> Money | None:
        """Return it as money of its own currency or of `currency`; None when it is no amount of that currency."""
        code = self.currency or currency
        try:
            scaled = self.number.scaleb(exponent(code))
        except ValueError:
            return None
        return Money(int(scaled), code) if scaled == scaled.to_integral_value() else None

    def __str__(self) -> str:
        return f"{self.number} {self.currency}".strip()


@dataclass(frozen=True, slots=True)
class Booking:
    """One thing a bank says: of one payment by its end-to-end id, or of a whole batch by the ids of its file."""

    row: int
    says: Says
    end_to_end_id: str = ""
    amount: Amount | None = None
    fee: Amount | None = None
    code: str = ""
    reason: str = ""
    reference: str = ""
    booked_on: date | None = None
    message_id: str = ""
    batch_id: str = ""

    @property
    def is_of_a_batch(self) -> bool:
        return not self.end_to_end_id and bool(self.message_id or self.batch_id)


@dataclass(frozen=True)
class ResultsRead:
    """A file that could be read."""

    format: ResultFormat
    bookings: Sequence[Booking]


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a file is refused: where, about what, and how to go on."""

    row: int
    about: str
    words: str

    def __str__(self) -> str:
        return _t("Row %(row)s, %(about)s: %(words)s") % {
            "row": self.row,
            "about": self.about,
            "words": self.words,
        }


class NotRead(Refused):
    """The file as such makes no sense."""

    message = _("This file cannot be read: %(why)s")
    field = "file"

    def __init__(self, why: object) -> None:
        super().__init__(params={"why": why})


@dataclass
class Faults:
    """Everything that is wrong with a file; all are counted, the first are kept."""

    kept: list[Fault] = field(default_factory=list)
    count: int = 0
    limit: int = 100

    def add(self, row: int, about: str, words: object) -> None:
        self.count += 1
        if len(self.kept) < self.limit:
            self.kept.append(Fault(row, about[:60], str(words)))


class Mismatch(Refused):
    """Something in the file does not fit what we sent; nothing of it is booked."""

    message = _("Nothing was booked. %(faults)s")
    field = "file"

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        super().__init__()

    def __str__(self) -> str:
        told = [str(fault) for fault in self.faults.kept[:SHOWN]]
        more = self.faults.count - len(told)
        if more > 0:
            told.append(ngettext("And %(count)s more.", "And %(count)s more.", more) % {"count": more})
        return str(self.message) % {"faults": " ".join(told)}


class WrongRows(Mismatch):
    """Rows of a CSV that cannot be read."""
