"""Forms of the pages about terms. A form only asks; the verbs decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from partners.amendments import LONGEST_TEXT, LONGEST_TITLE
from partners.clause_questions import LONGEST_ANSWER
from partners.models import TermsVersion
from partners.terms.publishing import SETTINGS, OtherTier
from partners.terms.versions import TEXTS
from tiers.models import Program, Tier

if TYPE_CHECKING:
    TermsModelForm = forms.ModelForm[TermsVersion]
else:
    TermsModelForm = forms.ModelForm

DATE = forms.DateInput(attrs={"type": "date"})


class TierChoice(forms.ModelChoiceField):
    """Tiers with their program."""

    def label_from_instance(self, obj: Any) -> str:
        """Return what a tier is called, beside its program."""
        return f"{obj.program.name}: {obj.name}"


class NewTermsForm(TermsModelForm):
    """The texts of a new version of a program's terms, and what it asks of members."""

    program = forms.ModelChoiceField(label=_("Program"), queryset=Program.objects.order_by("name"))
    tier = TierChoice(
        label=_("For one tier"),
        required=False,
        queryset=Tier.objects.none(),
        empty_label=_("Every tier that has no terms of its own"),
    )

    class Meta:
        model = TermsVersion
        fields = ("program", "tier", *TEXTS, *SETTINGS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["tier"]
        assert isinstance(field, TierChoice)  # noqa: S101
        tiers = Tier.objects.in_use().select_related("program")
        field.queryset = tiers.order_by("program__name", "track", "rank", "pk")

    def clean(self) -> dict[str, Any]:
        """Point at a tier of another program."""
        cleaned = super().clean() or {}
        tier, program = cleaned.get("tier"), cleaned.get("program")
        if tier is not None and program is not None and tier.program_id != program.pk:
            self.add_error("tier", str(OtherTier.message))
        return cleaned


class DraftTermsForm(TermsModelForm):
    """The texts of a draft, what it asks of members, and for which tier of its program it is."""

    tier = TierChoice(
        label=_("For one tier"),
        required=False,
        queryset=Tier.objects.none(),
        empty_label=_("Every tier that has no terms of its own"),
    )

    class Meta:
        model = TermsVersion
        fields = ("tier", *TEXTS, *SETTINGS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["tier"]
        assert isinstance(field, TierChoice)  # noqa: S101
        tiers = Tier.objects.filter(program=self.instance.program_id).in_use().select_related("program")
        field.queryset = tiers.by_rank()


class InForceForm(forms.Form):
    """From when on terms are to be in force."""

    effective_on = forms.DateField(
        label=_("In force from"),
        required=False,
        widget=DATE,
        help_text=_("Midnight in the program's time zone. Empty: at once."),
    )


class AmendmentForm(forms.Form):
    """What an amendment says, and from when on."""

    title = forms.CharField(label=_("Title"), max_length=LONGEST_TITLE)
    text = forms.CharField(
        label=_("Text"),
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text=_(
            "What holds for this partner beside the program's terms. It stands as it is once it is proposed."
        ),
    )
    effective_on = forms.DateField(
        label=_("In force from"),
        required=False,
        widget=DATE,
        help_text=_("Empty: from the moment the partner accepts."),
    )


class AnswerForm(forms.Form):
    """The answer to a question about a section."""

    text = forms.CharField(
        label=_("Answer"),
        max_length=LONGEST_ANSWER,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("It goes to who asked by e-mail, and stays beside the section."),
    )


class VersionChoice(forms.ModelChoiceField):
    """Versions of one program's terms, by number."""

    def label_from_instance(self, obj: Any) -> str:
        """Return what the version is called."""
        text = str(_("Version %(number)s") % {"number": obj.number})
        return f"{text} ({obj.tier.name})" if obj.tier is not None else text


class CompareForm(forms.Form):
    """Two versions to lay beside each other."""

    before = VersionChoice(label=_("Earlier version"), queryset=TermsVersion.objects.none(), empty_label=None)
    after = VersionChoice(label=_("Later version"), queryset=TermsVersion.objects.none(), empty_label=None)

    def __init__(self, *args: Any, program: Program, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        versions = TermsVersion.objects.filter(program=program).select_related("tier").order_by("-number")
        for name in ("before", "after"):
            field = self.fields[name]
            assert isinstance(field, VersionChoice)  # noqa: S101
            field.queryset = versions
