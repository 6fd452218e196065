"""The whole explanation of one stored line: the sentence, the calculation, what happened to it and which other lines it belongs to. Every
page, document, file and API prints this one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from payouts.explained import story, subject, texts
from payouts.explained.facts import Row
from payouts.explained.rows import rows_of
from payouts.explained.sentence import sentence_of
from payouts.explained.story import Step
from payouts.models import Commission, Payment
from prm.lib.money import Money

READ_WITH = (
    *subject.READ_WITH,
    "membership__program",
    "statement__period",
    "released_in__period",
    "reverses__conversion",
)


_PLAIN_PARTS = frozenset({"percent", "flat", "flat_kept", "flat_needs_original", "reversal"})
_MORE_THAN_A_RATE = ("cap", "floor", "share", "window", "fx", "cause")


@dataclass(frozen=True)
class Related:
    """Another line this one takes back, or is taken back by."""

    text: str
    amount: Money
    public_id: str
    pk: int


@dataclass(frozen=True)
class Explanation:
    """Why an amount is what it is, ready to print."""

    public_id: str
    title: str
    has_order: bool
    amount: Money
    sentence: str
    rows: tuple[Row, ...]
    steps: tuple[Step, ...]
    related: tuple[Related, ...]

    @property
    def lines(self) -> list[str]:
        """The sentence, the rows and the amount as lines of plain text."""
        total = _("Commission: %(amount)s") % {"amount": _amount(self.amount)}
        return [self.sentence, *row_texts(self.rows), total]


def readable(found: QuerySet[Commission]) -> QuerySet[Commission]:
    """Return lines with all that `explain` reads."""
    return found.select_related(*READ_WITH).prefetch_related(*story.READ_BESIDE)


def explain(
    line: Commission,
    *,
    at: datetime,
    payments: Mapping[int, Payment] | None = None,
    for_staff: bool = False,
) -> Explanation:
    """Return the explanation of a line that came from `readable`; unless the payments are at hand, one query finds its own."""
    zone = line.membership.program.zone
    known = story.payments_of([line]) if payments is None else payments
    return Explanation(
        public_id=line.public_id,
        title=subject.title_text(line, zone),
        has_order=line.conversion is not None,
        amount=line.amount,
        sentence=sentence_of(line, zone),
        rows=rows_of_line(line, zone, for_staff=for_staff),
        steps=tuple(story.steps_of(line, zone, known.get(line.statement_id or 0), at)),
        related=tuple(_related(line)),
    )


def rows_of_line(line: Commission, zone: tzinfo, *, for_staff: bool = False) -> tuple[Row, ...]:
    """Return the rows of a line's calculation."""
    return rows_of(line.because, zone, recruit=subject.recruit_text(line), for_staff=for_staff)


def row_texts(rows: Sequence[Row]) -> list[str]:
    """Return rows as lines of plain text."""
    return [_row_text(row) for row in rows]


def one_line(line: Commission, zone: tzinfo) -> str:
    """Return why a line is what it is, in one line of plain text for a cell of a table."""
    return " | ".join([sentence_of(line, zone), *row_texts(rows_of_line(line, zone))])


def is_plain(because: Mapping[str, Any]) -> bool:
    """Tell whether the base and the rate beside an amount explain it already."""
    codes = {part["label_code"] for part in because["parts"]}
    is_more = any(because.get(key) for key in _MORE_THAN_A_RATE) or because["base"] != because["gross"]
    return codes <= _PLAIN_PARTS and not is_more


def _row_text(row: Row) -> str:
    label = row.label if row.amount is None else f"{row.label}: {_amount(row.amount)}"
    if not row.note:
        return label
    return f"{label}: {row.note}" if row.amount is None else f"{label} ({row.note.rstrip('.')})"


def _amount(amount: Money) -> str:
    return texts.money(amount.minor, amount.currency)


def _related(line: Commission) -> Iterator[Related]:
    if line.reverses is not None:
        text = _("Takes back part of what order %(order)s earned")
        yield _of(line.reverses, text % {"order": subject.order_text(line.reverses)})
    for reversal in line.reversals.select_related("conversion").order_by("effective_at", "pk"):
        text = _("Taken back by refund %(order)s") % {"order": subject.order_text(reversal)}
        yield _of(reversal, text)


def _of(line: Commission, text: str) -> Related:
    return Related(text, line.amount, line.public_id, line.pk)
