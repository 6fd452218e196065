"""The form that asks for a dry run. It reads the dates as days of the program's zone; what may be tried is decided by the verb."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from payouts.choices import DryRunKind
from prm.lib.periods import Month, start_of_day
from tiers.choices import Deduction
from tiers.models import PlanVersion, Program, Tier

LAST_MONTHS = 12


@dataclass(frozen=True)
class Asked:
    """What was asked, ready for the verb."""

    kind: str
    starts_at: datetime
    ends_at: datetime
    version: PlanVersion | None
    changes: dict[str, Any]


# Moves of single partners are tried from the page that proposes them.
_KINDS = [(kind.value, kind.label) for kind in DryRunKind if kind != DryRunKind.MOVES]


class DryRunForm(forms.Form):
    """What to try, and on which events."""

    kind = forms.ChoiceField(label=_("What to try"), choices=_KINDS, widget=forms.RadioSelect)
    version = forms.ModelChoiceField(
        label=_("Plan version"),
        queryset=PlanVersion.objects.none(),
        required=False,
        help_text=_("It is tried as if it had been in force from the first of the events on."),
    )
    from_tier = forms.ModelChoiceField(
        label=_("Partners who stand in"),
        queryset=Tier.objects.none(),
        required=False,
        empty_label=_("Any tier"),
        to_field_name="key",
    )
    to_tier = forms.ModelChoiceField(
        label=_("Would stand in"), queryset=Tier.objects.none(), required=False, to_field_name="key"
    )
    sets_clawback = forms.BooleanField(label=_("Try another claw-back window"), required=False)
    clawback_days = forms.IntegerField(
        label=_("Claw-back window, days"),
        required=False,
        min_value=0,
        max_value=32767,
        help_text=_("Empty: no limit."),
    )
    sets_deducts = forms.BooleanField(label=_("Try another commissionable amount"), required=False)
    deducts = forms.MultipleChoiceField(
        label=_("Taken off before commission"),
        choices=Deduction.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    sets_exclusions = forms.BooleanField(label=_("Try other exclusions"), required=False)
    excluded_products = forms.CharField(
        label=_("Products that earn nothing"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("One per line."),
    )
    starts_on = forms.DateField(label=_("Events from"), widget=forms.DateInput(attrs={"type": "date"}))
    ends_on = forms.DateField(
        label=_("Up to"),
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("Including this day, in the program's time zone."),
    )

    def __init__(self, program: Program, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.program = program
        versions = PlanVersion.objects.filter(plan__program=program).select_related("plan")
        self._choices("version").queryset = versions.order_by("-number")
        for name in ("from_tier", "to_tier"):
            self._choices(name).queryset = program.tiers.in_use().by_rank()

    def clean(self) -> dict[str, Any]:
        """Say what is missing for what is tried."""
        found = super().clean() or {}
        if found.get("kind") == DryRunKind.PLAN and not found.get("version"):
            self.add_error("version", _("Choose the plan version to try."))
        if found.get("kind") == DryRunKind.TIER and not found.get("to_tier"):
            self.add_error("to_tier", _("Choose the tier to try."))
        if found.get("kind") == DryRunKind.SETTING and not any(found.get(name) for name in _SWITCHES):
            self.add_error("kind", _("Say which setting to try."))
        starts_on, ends_on = found.get("starts_on"), found.get("ends_on")
        if starts_on and ends_on and ends_on < starts_on:
            self.add_error("ends_on", _("The range of events must end after it begins."))
        return found

    def asked(self) -> Asked:
        """Return what the valid form says."""
        found, zone = self.cleaned_data, self.program.zone
        return Asked(
            kind=found["kind"],
            starts_at=start_of_day(found["starts_on"], zone),
            ends_at=start_of_day(found["ends_on"] + timedelta(days=1), zone),
            version=found["version"] if found["kind"] == DryRunKind.PLAN else None,
            changes=_CHANGES[DryRunKind(found["kind"])](found),
        )

    def _choices(self, name: str) -> forms.ModelChoiceField[Any]:
        found = self.fields[name]
        assert isinstance(found, forms.ModelChoiceField)  # noqa: S101
        return found


_SWITCHES = ("sets_clawback", "sets_deducts", "sets_exclusions")


def first_range(program: Program, *, at: datetime) -> dict[str, date]:
    """Return the range the form starts with: the last twelve whole months and what there is of this one."""
    month = Month.of(at, program.zone)
    return {"starts_on": month.plus(-LAST_MONTHS).first_on, "ends_on": at.astimezone(program.zone).date()}


def _tier(found: dict[str, Any]) -> dict[str, Any]:
    source, target = found["from_tier"], found["to_tier"]
    return {"from": source.key if source else "", "to": target.key, "memberships": []}


def _setting(found: dict[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if found["sets_clawback"]:
        changes["clawback_days"] = found["clawback_days"]
    if found["sets_deducts"]:
        changes["deducts"] = found["deducts"]
    if found["sets_exclusions"]:
        changes["excluded_products"] = [
            line.strip() for line in found["excluded_products"].splitlines() if line.strip()
        ]
    return changes


_CHANGES = {DryRunKind.PLAN: lambda found: {}, DryRunKind.TIER: _tier, DryRunKind.SETTING: _setting}
