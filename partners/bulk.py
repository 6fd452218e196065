"""Decide on several applications at once. Each is looked at alone: what stands in the way of one does not stop the others, and each
decision is a transaction of its own by the same verb as always."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partners.choices import ApplicationState
from partners.models import Application
from prm.lib.errors import Refused

if TYPE_CHECKING:
    from prm.accounts.models import User


class Bulk(TextChoices):
    """What can be done with several applications."""

    APPROVE = "approve", gettext_lazy("Approve")
    REJECT = "reject", gettext_lazy("Decline")
    ASK = "ask", gettext_lazy("Ask for more information")
    ASSIGN = "assign", gettext_lazy("Assign")


@dataclass(frozen=True)
class Row:
    """One application with what stands in the way; an empty `hindrance` means nothing does."""

    application: Application
    hindrance: str = ""

    @property
    def goes(self) -> bool:
        return not self.hindrance


def look(applications: Iterable[Application], what: str, *, by: User) -> list[Row]:
    """Return each application with why it would be skipped."""
    return [Row(each, _hindrance(each, what, by)) for each in applications]


def carry_out(rows: Iterable[Row], decide: Callable[[Application], object]) -> list[Row]:
    """Decide on every row nothing stands in the way of, and return what was skipped or refused and why."""
    return [_one(row, decide) if row.goes else row for row in rows]


def _one(row: Row, decide: Callable[[Application], object]) -> Row:
    try:
        decide(row.application)
    except Refused as refusal:
        return Row(row.application, str(refusal))
    return row


def _hindrance(application: Application, what: str, by: User) -> str:
    if application.state not in ApplicationState.undecided():
        return _("skipped: closed already")
    if what == Bulk.ASSIGN:
        return ""
    if application.email_folded == by.email_folded:
        return _("skipped: your own application")
    if application.counts_since is None and what != Bulk.REJECT:
        return _("skipped: e-mail not confirmed")
    return ""
