"""Forms of rules, blocks and workloads. A rule's conditions are plain rows of three fields that work without JavaScript."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from partners import assignment, screening
from partners.admin.forms import PersonChoice, TierChoice
from partners.application_forms.definition import STANDARD_KEYS, Definition, read, words_in
from partners.application_forms.rows import RowsField
from partners.application_forms.standard import standard_for
from partners.application_forms.wording import label_of
from partners.choices import BlockedKind, FormState, RejectionReason, RuleDecision
from partners.eligibility_conditions import ANSWER
from partners.models import EligibilityRule, FormVersion
from prm.accounts.models import User
from tiers.models import Program, Tier

MOST_CONDITIONS = 8


def operator_words() -> dict[str, str]:
    """Return how comparisons are read."""
    return {
        "equals": _("is"),
        "is_not": _("is not"),
        "one_of": _("is one of"),
        "at_least": _("is at least"),
        "at_most": _("is at most"),
        "has": _("has"),
        "has_not": _("has not"),
    }


def field_words(program: Program) -> dict[str, str]:
    """Return what conditions may ask about in a program."""
    language = get_language() or "en"
    own = {
        f"{ANSWER}{question.key}": _("Answer: %(question)s")
        % {"question": words_in(label_of(question), language)}
        for question in _form_of(program).questions
        if question.key not in STANDARD_KEYS and question.kind != "file"
    }
    return {
        "country": _("Country"),
        "partnership_type": _("Type of partnership"),
        "email_domain": _("E-mail domain"),
        "audience": _("Audience of all channels"),
        "references_confirmed": _("References that confirm"),
        "signals": _("Signals"),
        **own,
    }


def _form_of(program: Program) -> Definition:
    version = FormVersion.objects.filter(program=program, state=FormState.PUBLISHED).first()
    return read(version.definition) if version is not None else standard_for(program)


class ProgramForm(forms.Form):
    """For which program a rule is."""

    program = forms.ModelChoiceField(label=gettext_lazy("Program"), queryset=Program.objects.order_by("name"))


class RuleForm(forms.Form):
    """What a rule asks, and what it does then."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    decision = forms.ChoiceField(
        label=gettext_lazy("What it does"), choices=RuleDecision.choices, widget=forms.RadioSelect
    )
    tier = TierChoice(
        label=gettext_lazy("Tier, when it approves"),
        queryset=Tier.objects.none(),
        required=False,
        empty_label=gettext_lazy("Choose a tier"),
    )
    reason = forms.ChoiceField(
        label=gettext_lazy("Reason, when it declines"),
        choices=[("", gettext_lazy("Choose a reason")), *RejectionReason.choices],
        required=False,
    )
    reapply_days = forms.IntegerField(
        label=gettext_lazy("May apply again after, days"), required=False, min_value=1, max_value=3650
    )
    note = forms.CharField(
        label=gettext_lazy("Message to the applicant"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(
        self, *args: Any, program: Program, rule: EligibilityRule | None = None, **kwargs: Any
    ) -> None:
        if rule is not None:
            columns = ("name", "decision", "tier", "reason", "reapply_days", "note", "conditions")
            kwargs["initial"] = {name: getattr(rule, name) for name in columns}
        super().__init__(*args, **kwargs)
        self.fields["tier"].queryset = Tier.objects.filter(program=program).in_use().by_rank()  # type: ignore[attr-defined]
        asked = [("", _("Choose")), *field_words(program).items()]
        compared = [("", _("Choose")), *operator_words().items()]
        codes = ", ".join(code for code, _label in screening.code_choices())
        self.fields["conditions"] = RowsField(
            label=_("Conditions, all of which must hold"),
            help_text=_("Several values of “is one of” are separated by commas. Signals: %(codes)s.")
            % {"codes": codes},
            parts={
                "field": forms.ChoiceField(label=_("What is asked"), choices=asked),
                "operator": forms.ChoiceField(label=_("Comparison"), choices=compared),
                "value": forms.CharField(label=_("Value"), max_length=300),
            },
            row_name=_("Condition"),
            least=1,
            most=MOST_CONDITIONS,
        )
        self.order_fields(["name", "conditions"])


class BlockForm(forms.Form):
    """What is blocked, where and why."""

    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=BlockedKind.choices)
    value = forms.CharField(
        label=gettext_lazy("What is blocked"),
        max_length=254,
        help_text=gettext_lazy(
            "A domain such as spam.example, an e-mail address, or a country by name or code."
        ),
    )
    program = forms.ModelChoiceField(
        label=gettext_lazy("Program"),
        queryset=Program.objects.order_by("name"),
        required=False,
        empty_label=gettext_lazy("Every program"),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=200, help_text=gettext_lazy("Reviewers see it.")
    )


class WorkloadForm(forms.Form):
    """How much one person takes."""

    user = PersonChoice(
        label=gettext_lazy("Account manager"),
        queryset=User.objects.none(),
        empty_label=gettext_lazy("Choose a person"),
    )
    most_open = forms.IntegerField(
        label=gettext_lazy("Open applications at most"), min_value=0, max_value=10_000, initial=20
    )
    takes_new = forms.BooleanField(label=gettext_lazy("Takes new applications"), required=False, initial=True)
    programs = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Only of these programs"),
        queryset=Program.objects.order_by("name"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None ticked: of every program."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["user"].queryset = assignment.managers()  # type: ignore[attr-defined]
