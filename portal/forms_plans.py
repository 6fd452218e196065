"""The forms by which a partner answers a business plan. They read what was typed; the verbs decide."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partners.application_forms.validators import printable
from partners.business_plans.fields import read_target, typed
from partners.business_plans.goals import GoalLine
from partners.business_plans.refusals import LONGEST_TEXT, SaysNothing
from partners.business_plans.words import label_of
from partners.models import BusinessPlan, Goal
from portal.formats import active_locale, date_text


class SendBackForm(forms.Form):
    """What should be different, and for each goal the target the partner would rather agree to."""

    use_required_attribute = False

    text = forms.CharField(
        label=gettext_lazy("What should be different"),
        max_length=LONGEST_TEXT,
        validators=[printable],
        error_messages={"required": SaysNothing.message, "max_length": SaysNothing.message},
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def __init__(self, *args: Any, plan: BusinessPlan, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = plan.membership.program.currency
        self.goals: list[Goal] = list(plan.goals.order_by("due_on", "pk"))
        for goal in self.goals:
            names = {"goal": label_of(goal.metric), "day": date_text(goal.due_on, active_locale())}
            self.fields[f"target_{goal.pk}"] = forms.CharField(
                label=_("%(goal)s by %(day)s") % names,
                required=False,
                max_length=40,
                initial=typed(goal.target, goal.metric, self.currency),
                widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
            )

    def clean(self) -> dict[str, Any]:
        """Read the targets in the units of their goals."""
        given = super().clean() or {}
        for goal in self.goals:
            name = f"target_{goal.pk}"
            try:
                given[name] = read_target(given.get(name, ""), goal.metric, self.currency)
            except ValidationError as error:
                self.add_error(name, error)
        return given

    def targets(self) -> list[GoalLine]:
        """Return the targets as the verb wants them; one left empty stays as it is proposed."""
        read = [(goal, self.cleaned_data.get(f"target_{goal.pk}")) for goal in self.goals]
        return [GoalLine(goal.metric, target, goal.due_on) for goal, target in read if target is not None]
