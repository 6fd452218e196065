"""Forms of the pages that decide about tiers. A form only asks; the verbs decide."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from partners.models import Membership
from prm.lib.periods import local_day, start_of_day
from tiers.models import Program, Tier

DATE = forms.DateInput(attrs={"type": "date"})
LONGEST_NOTE, LONGEST_REASON, LONGEST_ANSWER = 2_000, 500, 4_000
GRANT, REFUSE = "grant", "refuse"


def _long(label: Any, *, most: int, required: bool = True, help_text: Any = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        required=required,
        max_length=most,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=help_text,
    )


class CaseForm(forms.Form):
    """What every decision on a case has in common: days are those of the program."""

    use_required_attribute = False

    def __init__(self, *args: Any, program: Program, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.program = program


class CarryOutForm(CaseForm):
    """From when on a proposal is carried out, and why."""

    effective_on = forms.DateField(
        label=_("Takes effect on"), required=False, widget=DATE, help_text=_("Empty: at once.")
    )
    note = _long(
        _("Reason, as the partner reads it"),
        most=LONGEST_NOTE,
        required=False,
        help_text=_("Empty: the figures of the review speak for themselves."),
    )

    def effective_at(self, *, now: datetime) -> datetime | None:
        """Return the instant the move takes effect, None for at once."""
        day = self.cleaned_data.get("effective_on")
        return None if day is None or day <= local_day(now, self.program.zone) else self._start(day)

    def _start(self, day: date) -> datetime:
        return start_of_day(day, self.program.zone)


class KeepForm(CaseForm):
    """Why a membership stays where it stands."""

    note = _long(_("Reason, as the partner reads it"), most=LONGEST_NOTE)


class WaiveForm(CaseForm):
    """Until when a membership keeps its tier although it does not reach it, and why."""

    until = forms.DateField(
        label=_("Until the end of"), widget=DATE, help_text=_("Then the figures are looked at again.")
    )
    reason = _long(_("Reason, as the partner reads it"), most=LONGEST_REASON)


class AnswerForm(CaseForm):
    """The answer to an appeal."""

    verdict = forms.ChoiceField(
        label=_("Answer"),
        choices=[
            (GRANT, _("Grant it: the tier is kept")),
            (REFUSE, _("Refuse it: the grace period goes on")),
        ],
        widget=forms.RadioSelect,
    )
    answer = _long(_("Reason, as the partner reads it"), most=LONGEST_ANSWER)


class TierRateChoice(forms.ModelChoiceField):
    """Tiers, each with its ladder and what it earns."""

    rates: dict[int, str] = {}

    def label_from_instance(self, obj: Any) -> str:
        """Return the tier's name with its rate, when one is known."""
        name = f"{obj.track}: {obj.name}" if obj.track else str(obj.name)
        rate = self.rates.get(obj.pk)
        return f"{name}, {rate}" if rate else name


class ChangeTierForm(forms.Form):
    """Which tier a membership is placed in, and why; with a day it is a decision by hand that ends by itself."""

    use_required_attribute = False

    tier = TierRateChoice(label=_("Tier"), queryset=Tier.objects.none(), empty_label=None)
    because = forms.CharField(
        label=_("Reason"),
        max_length=200,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The partner reads it in the history of its tier."),
    )
    until = forms.DateField(
        label=_("Only until the end of"),
        required=False,
        widget=DATE,
        help_text=_(
            "With a day, reviews go on for information only, and the figures are looked at again when it is over."
            " Empty: the next review decides as always."
        ),
    )

    def __init__(
        self, *args: Any, membership: Membership, standing: Tier | None, rates: dict[int, str], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        tiers = self.fields["tier"]
        assert isinstance(tiers, TierRateChoice)  # noqa: S101
        tiers.rates = rates
        tiers.queryset = Tier.objects.filter(program=membership.program_id).in_use().by_rank()
        if standing is not None:
            # With a day one can also be held where one stands; the verb refuses what would change nothing.
            self.initial.setdefault("tier", standing.pk)


class BulkForm(forms.Form):
    """What several cases get alike."""

    use_required_attribute = False

    def __init__(self, *args: Any, asks_reason: bool, needs_reason: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if asks_reason:
            self.fields["note"] = _long(
                _("Reason, as the partners read it"),
                most=LONGEST_NOTE,
                required=needs_reason,
                help_text=_("Everybody gets the same words."),
            )


class RoundForm(forms.Form):
    """Whose tiers are to be looked at now."""

    use_required_attribute = False

    program = forms.ModelChoiceField(
        label=_("Program"), queryset=Program.objects.order_by("name", "pk"), empty_label=_("Choose a program")
    )
