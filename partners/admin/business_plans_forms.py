"""Forms of the buttons of a business plan. They read what was typed and leave the decision to the verbs."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partners.application_forms.validators import printable
from partners.business_plans import refusals
from partners.business_plans.fields import read_target
from partners.models import Checkpoint, Goal
from prm.lib import l10n
from tiers.targets import is_money

_LONG = {"rows": 4}


class NoteForm(forms.Form):
    """A few words to the partner with a plan."""

    use_required_attribute = False

    note = forms.CharField(
        label=gettext_lazy("A note to the partner"),
        required=False,
        max_length=refusals.LONGEST_TEXT,
        validators=[printable],
        widget=forms.Textarea(attrs=_LONG),
        help_text=gettext_lazy("It stands beside the plan, under what was written before."),
    )


class ReasonForm(forms.Form):
    """Why a plan is given up."""

    use_required_attribute = False

    because = forms.CharField(
        label=gettext_lazy("Reason"),
        required=False,
        max_length=refusals.LONGEST_REASON,
        validators=[printable],
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("The partner reads it when it knows the plan."),
    )


class OutcomeForm(forms.Form):
    """What came of a plan."""

    use_required_attribute = False

    outcome = forms.CharField(
        label=gettext_lazy("What came of it"),
        max_length=refusals.LONGEST_TEXT,
        validators=[printable],
        widget=forms.Textarea(attrs=_LONG),
        error_messages={"required": refusals.NoOutcome.message},
        help_text=gettext_lazy("The partner reads it."),
    )


class CheckpointForm(forms.Form):
    """What was found at a checkpoint."""

    use_required_attribute = False

    note = forms.CharField(
        label=gettext_lazy("What was found"),
        max_length=refusals.LONGEST_TEXT,
        validators=[printable],
        widget=forms.Textarea(attrs=_LONG),
        error_messages={"required": refusals.NoNote.message},
        help_text=gettext_lazy("The partner reads it."),
    )


class TargetForm(forms.Form):
    """Another target for a goal."""

    use_required_attribute = False

    after = forms.CharField(
        label=gettext_lazy("New target"),
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        error_messages={"required": gettext_lazy("Write what is to be reached.")},
    )
    because = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=refusals.LONGEST_REASON,
        validators=[printable],
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": refusals.NoReason.message},
        help_text=gettext_lazy("The partner reads it."),
    )
    checkpoint = forms.ModelChoiceField(
        label=gettext_lazy("Found at the checkpoint"),
        queryset=Checkpoint.objects.none(),
        required=False,
        empty_label=gettext_lazy("Between checkpoints"),
    )

    def __init__(self, *args: Any, goal: Goal, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.goal = goal
        currency = goal.plan.membership.program.currency
        if is_money(goal.metric):
            self.fields["after"].help_text = _("In %(currency)s, such as 2000.00.") % {"currency": currency}
        else:
            self.fields["after"].help_text = _("A whole number.")
        field: Any = self.fields["checkpoint"]
        field.queryset = Checkpoint.objects.filter(plan=goal.plan_id).order_by("due_on")
        field.label_from_instance = lambda row: l10n.date_text(row.due_on, l10n.active_locale())

    def clean_after(self) -> int:
        """Read the target in the unit of the goal.

        Raises: ValidationError.
        """
        currency = self.goal.plan.membership.program.currency
        target = read_target(self.cleaned_data["after"], self.goal.metric, currency)
        if target is None:
            raise ValidationError(_("Write what is to be reached."))
        return target
