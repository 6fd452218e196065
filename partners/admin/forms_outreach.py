"""Forms of the pages about prospects, invitations, counter-proposals and introductions. A form only asks; the verbs decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from partners.admin.forms import DATE
from partners.application_forms.validators import one_line, printable
from partners.choices import ProspectStage, TouchKind
from partners.models import Partner, ProgramInvitation, Prospect
from prm.accounts import policy
from prm.accounts.models import User
from tiers.models import Program, Tier

if TYPE_CHECKING:
    ProspectModelForm = forms.ModelForm[Prospect]
    InvitationModelForm = forms.ModelForm[ProgramInvitation]
else:
    ProspectModelForm = forms.ModelForm
    InvitationModelForm = forms.ModelForm

SEND, PREPARE = "send", "prepare"
_ONE_LINE = ("full_name", "company", "phone", "source_note", "competes_with", "customer_reference")


class ProspectForm(ProspectModelForm):
    """What is known of a possible partner."""

    use_required_attribute = False

    class Meta:
        model = Prospect
        fields = (
            "full_name",
            "company",
            "email",
            "phone",
            "website",
            "country",
            "language",
            "program",
            "owner",
            "source",
            "source_note",
            "customer_reference",
            "next_touch_on",
            "competes_with",
            "notes",
        )
        widgets = {"next_touch_on": DATE, "notes": forms.Textarea(attrs={"rows": 4})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        staff = User.objects.filter(is_staff=True, is_active=True, groups__name__in=_KEEPERS)
        owner = cast("forms.ModelChoiceField[User]", self.fields["owner"])
        owner.queryset = staff.distinct().order_by("full_name", "pk")
        for name in _ONE_LINE:
            self.fields[name].validators += [printable, one_line]

    def validate_unique(self) -> None:
        """Leave it to the verb, which says it in words."""

    def validate_constraints(self) -> None:
        """Leave it to the verb, which says it in words."""


_KEEPERS = [role for role in policy.ROLES if "manage_prospects" in policy.CAPABILITIES[role]]


class TouchForm(forms.Form):
    """A contact with a prospect."""

    use_required_attribute = False

    kind = forms.ChoiceField(label=_("What it was"), choices=TouchKind.choices)
    text = forms.CharField(
        label=_("What was said"),
        max_length=2000,
        validators=[printable],
        error_messages={"required": _("Write what was said.")},
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    next_touch_on = forms.DateField(
        label=_("Next touch"), required=False, widget=DATE, help_text=_("Empty: none is planned.")
    )


class StageForm(forms.Form):
    """Where a prospect stands."""

    stage = forms.ChoiceField(label=_("Stage"), choices=ProspectStage.choices)


class InvitationForm(InvitationModelForm):
    """Who is invited into what, and what is said. The tier has to be one of the program."""

    use_required_attribute = False

    class Meta:
        model = ProgramInvitation
        fields: tuple[str, ...] = (
            "program",
            "tier",
            "full_name",
            "company",
            "email",
            "language",
            "message",
            "addendum",
        )
        widgets = {
            "message": forms.Textarea(attrs={"rows": 4}),
            "addendum": forms.Textarea(attrs={"rows": 4}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("program", "tier"):
            if name in self.fields:
                _offer(self.fields, name)
        for name in ("full_name", "company"):
            if name in self.fields:
                self.fields[name].validators += [printable, one_line]

    def clean(self) -> dict[str, Any]:
        """Hold the tier to the program."""
        given = super().clean() or {}
        program, tier = given.get("program"), given.get("tier")
        if program and tier and tier.program_id != program.pk:
            self.add_error("tier", _("This tier belongs to another program."))
        return given

    def validate_unique(self) -> None:
        """Leave it to the verb, which says it in words."""

    def validate_constraints(self) -> None:
        """Leave it to the verb, which says it in words."""


class InvitationTextForm(InvitationForm):
    """What may still be changed of an invitation that nobody reads."""

    class Meta(InvitationForm.Meta):
        fields = ("tier", "full_name", "company", "language", "message", "addendum")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tier = cast("forms.ModelChoiceField[Tier]", self.fields["tier"])
        tier.queryset = Tier.objects.filter(program=self.instance.program_id).in_use().by_rank()


class InvitationListForm(InvitationForm):
    """A list of people, pasted or as a file, who all get the same offer."""

    text = forms.CharField(
        label=_("Paste the list"),
        required=False,
        max_length=1_000_000,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        help_text=_(
            "One person a line: name, e-mail, company. A first line with the names of the columns is fine."
        ),
    )
    file = forms.FileField(
        label=_("Or take a CSV file"),
        required=False,
        help_text=_("With commas or semicolons, in UTF-8 or Latin-1; up to 500 rows and 1 MB."),
    )

    class Meta(InvitationForm.Meta):
        fields = ("program", "tier", "language", "message", "addendum")

    field_order = ("program", "tier", "text", "file", "language", "message", "addendum")

    def clean(self) -> dict[str, Any]:
        """Ask for one of the two."""
        given = super().clean()
        if not given.get("text") and not given.get("file") and not self.errors:
            self.add_error("text", _("Paste a list, or choose a file."))
        return given


class AnswerForm(forms.Form):
    """What we say to a counter-proposal."""

    use_required_attribute = False

    answer = forms.CharField(
        label=_("Your answer"),
        required=False,
        max_length=4000,
        validators=[printable],
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("It is mailed. Needed when you say no."),
    )


class MeetForm(forms.Form):
    """Two partners who might work together."""

    use_required_attribute = False

    first = forms.ModelChoiceField(label=_("One partner"), queryset=Partner.objects.none())
    second = forms.ModelChoiceField(label=_("The other partner"), queryset=Partner.objects.none())
    reason = forms.CharField(
        label=_("Why they should meet"),
        max_length=2000,
        validators=[printable],
        error_messages={"required": _("Say why they should meet: both read it.")},
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Both read it. Name no people and no addresses."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        active = Partner.objects.filter(memberships__ended_at=None, memberships__isnull=False).distinct()
        for name in ("first", "second"):
            choice = cast("forms.ModelChoiceField[Partner]", self.fields[name])
            choice.queryset = active.order_by("name", "pk")


def _offer(fields: dict[str, Any], name: str) -> None:
    if name == "program":
        fields[name].queryset = Program.objects.order_by("name", "pk")
        return
    fields[name].queryset = (
        Tier.objects.in_use().select_related("program").order_by("program__name", "rank", "pk")
    )
    fields[name].label_from_instance = lambda tier: f"{tier.program.name}: {tier.name}"
