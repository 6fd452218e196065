"""Tell a partner what waits, why, by when it is decided and how to answer, and how it ended; tell staff what the partner wrote. Nothing about a case is
kept from the partner but who else there is and how it was found out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from partners.readers import Reader, readers_of
from payouts.choices import RiskCaseState, RiskSanction
from payouts.explained import subject
from payouts.notices import button, money, tell
from prm.accounts import policy
from prm.accounts.models import User
from prm.lib import l10n
from prm.lib.money import Money

if TYPE_CHECKING:
    from payouts.models import RiskCase, RiskCaseLine, RiskNote

LINES_SHOWN = 20


def tell_opened(case: RiskCase) -> None:
    """Say that a case is open, why, which lines wait, by when it is decided and how to answer."""
    _tell_of_lines("risk_case_opened", case, _lines(case), key=case.public_id)


def tell_more(case: RiskCase, made: Sequence[RiskCaseLine]) -> None:
    """Say that further lines wait for a case that was told of already."""
    waiting = [row for row in _lines(case) if row.pk in {each.pk for each in made}]
    if waiting:
        _tell_of_lines("risk_case_lines", case, waiting, key=f"{case.public_id}:{waiting[-1].pk}")


def tell_decided(case: RiskCase, *, taken: int = 0) -> None:
    """Say how a case ended and what follows."""
    for reader in readers_of(case.membership.partner):
        context = {
            "program": case.membership.program.name,
            "outcome": case.outcome,
            "is_cleared": case.state == RiskCaseState.CLEARED,
            "is_warning": case.sanction == RiskSanction.WARNING,
            "taken": taken,
            **_to_case(case),
        }
        tell("risk_case_decided", reader, key=case.public_id, about=case.public_id, context=context)


def tell_answered(case: RiskCase, written: RiskNote) -> None:
    """Tell those who look into the case what the partner wrote."""
    for person in _staff_for(case):
        reader = Reader(person.email, person.language, person.get_full_name())
        context = {
            "partner": case.membership.partner.name,
            "program": case.membership.program.name,
            "text": written.text,
            **button(_("Open the case"), reverse("admin:payouts_riskcase_change", args=[case.pk])),
        }
        tell("risk_case_answered", reader, key=str(written.pk), about=case.public_id, context=context)


def _tell_of_lines(kind: str, case: RiskCase, rows: Sequence[RiskCaseLine], *, key: str) -> None:
    waiting = [row for row in rows if row.pause_id is not None]
    currency = case.membership.program.currency
    total = Money(sum(row.commission.amount_minor for row in waiting), currency)
    for reader in readers_of(case.membership.partner):
        context = {
            "program": case.membership.program.name,
            "reason": case.reason,
            "review_on": l10n.date_text(case.review_on, reader.locale, "long"),
            "count": len(waiting),
            "total": l10n.money_text(total, reader.locale),
            "lines": [_line(row, reader) for row in waiting[:LINES_SHOWN]],
            "more": max(0, len(waiting) - LINES_SHOWN),
            **_to_case(case),
        }
        tell(kind, reader, key=key, about=case.public_id, context=context)


def _lines(case: RiskCase) -> list[RiskCaseLine]:
    found = case.lines.select_related("commission__membership__program", "commission__conversion")
    return list(found.order_by("pk"))


def _line(row: RiskCaseLine, reader: Reader) -> dict[str, Any]:
    line = row.commission
    with translation.override(reader.language):
        order = subject.title_text(line, line.membership.program.zone)
    return {"order": order, "amount": money(line.amount_minor, line.currency, reader)}


def _staff_for(case: RiskCase) -> Iterable[User]:
    """Return who looks into the case, else the account manager, else everybody who decides about risk."""
    for person in (case.investigator, case.membership.partner.account_manager):
        if person is not None and policy.may(person, "decide_risk"):
            return [person]
    roles = policy.roles_with("decide_risk")
    return (
        User.objects.filter(groups__name__in=roles, is_active=True, is_staff=True).distinct().order_by("pk")
    )


def _to_case(case: RiskCase) -> dict[str, Any]:
    return button(_("Read it and answer"), f"/portal/reviews-of-lines/{case.public_id}/")
