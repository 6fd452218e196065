"""The forms on which a draft of a tier scheme says when reviews come, how a change is gone about, and from when on it is to be in force."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from prm.lib import l10n
from prm.lib.periods import Month
from tiers.admin.forms import PublishForm
from tiers.admin.scheme_forms import SchemeForm
from tiers.process_sentences import EVERY_NAMES
from tiers.qualify import Calendar, Cycle, Process, Scheme
from tiers.qualify import scheme as parts

KEEP_NO, KEEP_MONTHS, KEEP_FOR_GOOD = "no", "months", "for_good"


class CalendarForm(SchemeForm):
    """When partners may rise, and when they may fall."""

    promotion_every = forms.ChoiceField(
        label=_("Who may move up is reviewed"),
        choices=[(each, EVERY_NAMES[each]) for each in parts.PROMOTION_CYCLES],
    )
    promotion_day = forms.IntegerField(
        label=_("Moves up: on day"),
        min_value=1,
        max_value=28,
        initial=1,
        help_text=_("Of the month, 1 to 28."),
    )
    promotion_month = forms.ChoiceField(
        label=_("Moves up: counted from"),
        help_text=_("Every quarter from February on: February, May, August, November."),
    )
    demotion_every = forms.ChoiceField(
        label=_("Who keeps the tier is reviewed"),
        choices=[(each, EVERY_NAMES[each]) for each in parts.DEMOTION_CYCLES],
    )
    demotion_day = forms.IntegerField(
        label=_("Keeping the tier: on day"),
        min_value=1,
        max_value=28,
        initial=1,
        help_text=_("Not used for anniversaries."),
    )
    demotion_month = forms.ChoiceField(
        label=_("Keeping the tier: counted from"), help_text=_("Not used for anniversaries.")
    )

    def __init__(self, data: Any = None, *, scheme: Scheme) -> None:
        cycles = {"promotion": scheme.calendar.promotion, "demotion": scheme.calendar.demotion}
        initial = {
            f"{name}_{part}": getattr(cycle, part)
            for name, cycle in cycles.items()
            for part in ("every", "day", "month")
        }
        super().__init__(data, initial=initial)
        for name in ("promotion_month", "demotion_month"):
            self.choose(name, [(str(at), _month(at)) for at in range(1, 13)])

    def calendar(self) -> Calendar:
        """Return the calendar that was written."""
        cycles = [
            Cycle(
                self.cleaned_data[f"{name}_every"],
                self.cleaned_data[f"{name}_day"],
                int(self.cleaned_data[f"{name}_month"]),
            )
            for name in ("promotion", "demotion")
        ]
        return Calendar(*cycles)


_DECIDERS = [(parts.PERSON, _("A person decides")), (parts.AUTOMATIC, _("By itself, when its day has come"))]


class ProcessForm(SchemeForm):
    """How a change is gone about."""

    up = forms.ChoiceField(label=_("Moves up"), choices=_DECIDERS, widget=forms.RadioSelect)
    down = forms.ChoiceField(label=_("Moves down"), choices=_DECIDERS, widget=forms.RadioSelect)
    fall = forms.ChoiceField(
        label=_("How far down"),
        choices=[
            (parts.ONE_STEP, _("One tier at most")),
            (parts.MEASURED, _("To the highest tier that is reached")),
        ],
        widget=forms.RadioSelect,
    )
    grace_days = forms.IntegerField(
        label=_("Grace period, days"),
        min_value=0,
        max_value=730,
        help_text=_("From the notice on; whoever reaches the tier again keeps it."),
    )
    appeal_days = forms.IntegerField(
        label=_("Days to appeal"), min_value=1, max_value=180, help_text=_("From the notice on.")
    )
    answer_days = forms.IntegerField(label=_("Working days to answer an appeal"), min_value=1, max_value=60)
    protected_days = forms.IntegerField(
        label=_("Protected after joining, days"),
        min_value=0,
        max_value=1_095,
        help_text=_("So long nobody moves down."),
    )
    keep = forms.ChoiceField(
        label=_("Customers from before a move down"),
        choices=[
            (KEEP_NO, _("Earn at the new tier's rates")),
            (KEEP_MONTHS, _("Keep the former tier's rates for some months")),
            (KEEP_FOR_GOOD, _("Keep the former tier's rates for good")),
        ],
        widget=forms.RadioSelect,
    )
    keep_months = forms.IntegerField(
        label=_("For how many months"), required=False, min_value=1, max_value=120
    )

    def __init__(self, data: Any = None, *, process: Process) -> None:
        months = process.customers_keep_months
        keep = KEEP_FOR_GOOD if months is None else KEEP_MONTHS if months else KEEP_NO
        values = {name: getattr(process, name) for name in Process.__slots__}
        super().__init__(data, initial={**values, "keep": keep, "keep_months": months or None})

    def clean(self) -> dict[str, Any]:
        """Ask for the months where some are meant."""
        given = super().clean() or {}
        if (
            given.get("keep") == KEEP_MONTHS
            and not given.get("keep_months")
            and "keep_months" not in self.errors
        ):
            self.add_error("keep_months", _("Say for how many months."))
        return given

    def process(self) -> Process:
        """Return the process that was written."""
        given = self.cleaned_data
        months = {KEEP_NO: 0, KEEP_FOR_GOOD: None}.get(given["keep"], given["keep_months"])
        values = {name: given[name] for name in Process.__slots__ if name != "customers_keep_months"}
        return Process(**values, customers_keep_months=months)


class SchemePublishForm(PublishForm):
    """From when on a scheme is to be in force; `asks` when windows reach back before the data."""

    windows_meant = forms.BooleanField(
        label=_("The windows that reach back before our data are meant"),
        required=False,
        help_text=_("Partners are then measured by what there is."),
    )

    def __init__(self, *args: Any, asks: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not asks:
            del self.fields["windows_meant"]


def _month(at: int) -> str:
    return l10n.month_text(Month(2026, at), l10n.active_locale(), "name")
