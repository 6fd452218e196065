"""The decisions on a case: when each is possible, what it says beforehand in numbers, and the one verb it calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _t
from django.utils.translation import ngettext

from payouts.admin.risk_forms import AddForm, ConfirmForm, OutcomeForm
from payouts.models import Pause, RiskCase, RiskSignal
from payouts.risk import cases, deciding
from payouts.risk.common import OPEN
from prm.accounts.back_office import money_text
from prm.lib.money import Money

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True)
class RiskMove:
    """One decision."""

    title: StrOrPromise
    verb: Callable[..., Any]
    form: Callable[[Any, RiskCase], forms.Form]
    says: Callable[[RiskCase], list[str]]
    button: StrOrPromise
    done: StrOrPromise
    is_main: bool = True

    def is_possible(self, case: RiskCase) -> bool:
        """Say whether the case can be moved at all."""
        return case.state in OPEN


def waiting_text(case: RiskCase) -> str:
    """Return how many lines wait, and what they come to."""
    open_ones = Pause.objects.open().filter(pk__in=case.lines.values("pause"))
    minors = list(open_ones.values_list("commission__amount_minor", flat=True))
    total = money_text(Money(sum(each or 0 for each in minors), case.membership.program.currency))
    text = ngettext("%(count)s line, %(total)s", "%(count)s lines, %(total)s together", len(minors))
    return text % {"count": len(minors), "total": total}


def _names(case: RiskCase) -> dict[str, str]:
    return {"partner": case.membership.partner.name, "lines": waiting_text(case)}


def _clearing(case: RiskCase) -> list[str]:
    return [
        _("What waits goes on with the dates it had: %(lines)s.") % _names(case),
        _("The signals stay on record as looked at and are not raised again."),
        _("%(partner)s gets an e-mail with what came of it.") % _names(case),
    ]


def _confirming(case: RiskCase) -> list[str]:
    return [
        _("%(partner)s loses the credit of the conversions you choose, and what they earned is reversed.")
        % _names(case),
        _("Where several partners are credited, the others share the whole in the proportion they had."),
        _("Customers that are %(partner)s's because of these conversions are nobody's from now on.")
        % _names(case),
        _("All other lines go on with the dates they had; %(lines)s wait now.") % _names(case),
        _("A suspension or a ban happens at once. What has been paid is taken from the next statements."),
        _("%(partner)s gets an e-mail with what came of it, and can answer.") % _names(case),
        _("This cannot be undone here."),
    ]


def _adding(case: RiskCase) -> list[str]:
    return [
        _("The lines these signals are about wait as well, as far as they are on hold."),
        _("%(partner)s gets an e-mail when further lines wait.") % _names(case),
    ]


def _outcome_form(data: Any, case: RiskCase) -> forms.Form:
    return OutcomeForm(data)


def _confirm_form(data: Any, case: RiskCase) -> forms.Form:
    form = ConfirmForm(data)
    form.fields["conversions"].queryset = deciding.takeable(case).order_by("pk")  # type: ignore[attr-defined]
    return form


def _add_form(data: Any, case: RiskCase) -> forms.Form:
    form = AddForm(data)
    free = RiskSignal.objects.unseen().filter(membership=case.membership_id).order_by("pk")
    form.fields["signals"].queryset = free  # type: ignore[attr-defined]
    return form


MOVES: dict[str, RiskMove] = {
    "confirm": RiskMove(
        title=_t("Confirm"),
        verb=cases.confirm,
        form=_confirm_form,
        says=_confirming,
        button=_t("Confirm the case"),
        done=_t("The case is confirmed and the partner was told."),
    ),
    "clear": RiskMove(
        title=_t("Clear"),
        verb=cases.clear,
        form=_outcome_form,
        says=_clearing,
        button=_t("Clear the case"),
        done=_t("The case is cleared, its lines go on and the partner was told."),
        is_main=False,
    ),
    "add": RiskMove(
        title=_t("Add signals"),
        verb=cases.add_signals,
        form=_add_form,
        says=_adding,
        button=_t("Add the signals"),
        done=_t("The signals are in the case."),
        is_main=False,
    ),
}
