"""The forms of the partner's rooms. They read what was typed; whether it may be done is decided by the verbs they lead to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from partners.choices import TeamRole
from portal.formats import active_locale
from portal.roles import EXPLAINED
from portal.status import COMMISSION, PATH
from prm.accounts.choices import Language
from prm.accounts.models import known_time_zone
from prm.lib import l10n
from prm.lib.periods import Month
from tiers.negotiation import NoReason

STAGE_LABELS: dict[str, Any] = {
    "review": COMMISSION["in_review"].label,
    "hold": COMMISSION["on_hold"].label,
    "ready": COMMISSION["payable"].label,
    "sent": COMMISSION["sent"].label,
    "paid": COMMISSION["paid"].label,
    "reversed": COMMISSION["reversed"].label,
}


class EarningsFilterForm(forms.Form):
    """What narrows the list of earnings; everything is optional."""

    q = forms.CharField(
        label=_("Order, customer, link or code"),
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )
    period = forms.ChoiceField(required=False)
    start = forms.DateField(label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    end = forms.DateField(label=_("To"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    stage = forms.ChoiceField(
        required=False,
        widget=forms.HiddenInput,
        choices=[("", ""), *((key, key) for key in (*PATH, "reversed"))],
    )
    link = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)
    code = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)

    def __init__(self, *args: Any, months: Iterable[Month], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fixed = [("", _("All time")), ("30d", _("Last 30 days")), ("90d", _("Last 90 days"))]
        named = [(str(month), l10n.month_text(month, active_locale())) for month in months]
        self.fields["period"] = forms.ChoiceField(label=_("Period"), required=False, choices=[*fixed, *named])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        start, end = cleaned.get("start"), cleaned.get("end")
        if start and end and end < start:
            self.add_error("end", _("The last day must not be before the first."))
        return cleaned


def _role_choices() -> list[tuple[str, Any]]:
    return [(role.value, f"{role.label}: {EXPLAINED[role.value]}") for role in TeamRole]


class RoleForm(forms.Form):
    """What a team member may do."""

    role = forms.ChoiceField(label=_("Role"), choices=_role_choices, widget=forms.RadioSelect)


class InviteForm(RoleForm):
    """A person to be invited to the team."""

    full_name = forms.CharField(label=_("Name"), required=False, max_length=120)
    email = forms.EmailField(label=_("Email address"))
    field_order = ("full_name", "email", "role")


class DeclineForm(forms.Form):
    """Why a proposal does not suit."""

    reason = forms.CharField(
        label=_("What does not suit you"),
        max_length=2000,
        help_text=_("Your account manager reads it and can make another proposal."),
        error_messages={"required": NoReason.message},
        widget=forms.Textarea(attrs={"rows": 4}),
    )


class AccountForm(forms.Form):
    """How the portal speaks to one person."""

    full_name = forms.CharField(
        label=_("Name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    language = forms.ChoiceField(label=_("Language"), choices=Language.choices)
    time_zone = forms.CharField(
        label=_("Time zone"),
        max_length=64,
        validators=[known_time_zone],
        help_text=_("For example Europe/London. Used in mails; amounts follow the program's own time zone."),
    )
