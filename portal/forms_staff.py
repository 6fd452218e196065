"""The forms by which a team keeps the list of its people and hands certificates in. They read what was typed; the verbs decide."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from partners.application_forms.validators import one_line, printable
from partners.certification.credentials import IssuerMissing
from partners.certification.learning import is_for
from partners.checklists import in_language
from partners.choices import StaffRole
from partners.models import Certification, Member, Staff
from partners.uploads import ACCEPTED
from portal.formats import active_locale
from prm.lib import country_names
from tiers.models import Program

_DAY = {"type": "date"}


class StaffForm(forms.Form):
    """What the list says of a person."""

    use_required_attribute = False

    full_name = forms.CharField(
        label=_("Name"),
        max_length=120,
        validators=[printable, one_line],
        error_messages={"required": _("Enter the person's name.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    role = forms.ChoiceField(
        label=_("What the person does"),
        choices=StaffRole.choices,
        error_messages={"required": _("Choose what the person does.")},
    )
    country = forms.ChoiceField(label=_("Country"), required=False)
    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        required=False,
        help_text=_(
            "Reminders before a credential ends go there. Somebody of your team with this address is linked."
        ),
        error_messages={"invalid": _("Enter an e-mail address like name@example.com.")},
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        country = self.fields["country"]
        assert isinstance(country, forms.ChoiceField)  # noqa: S101
        country.choices = [("", _("Not said")), *country_names.choices(active_locale())]


class StaffChangeForm(StaffForm):
    """The same, and who of the team the person is."""

    member = forms.ChoiceField(
        label=_("Signs in as"), required=False, help_text=_("People learn with their own place in the team.")
    )

    def __init__(self, person: Staff, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        team = Member.objects.current().filter(partner=person.partner_id).select_related("user")
        free = team.filter(Q(staff=None) | Q(staff=person))
        member = self.fields["member"]
        assert isinstance(member, forms.ChoiceField)  # noqa: S101
        member.choices = [
            ("", _("Does not sign in")),
            *((each.public_id, each.user.get_full_name()) for each in free.order_by("joined_at", "pk")),
        ]


class ProofForm(forms.Form):
    """A certificate of somebody else."""

    use_required_attribute = False

    certification = forms.ChoiceField(
        label=_("Certification"), error_messages={"required": _("Choose the certification it is for.")}
    )
    issuer = forms.CharField(
        label=_("Issued by"),
        max_length=140,
        validators=[printable, one_line],
        error_messages={"required": IssuerMissing.message},
    )
    number = forms.CharField(
        label=_("Number of the certificate"), max_length=60, required=False, validators=[printable, one_line]
    )
    earned_on = forms.DateField(
        label=_("Earned on"),
        widget=forms.DateInput(attrs=_DAY, format="%Y-%m-%d"),
        error_messages={"required": _("Say when it was earned."), "invalid": _("Enter a date.")},
    )
    valid_until = forms.DateField(
        label=_("Valid until"),
        required=False,
        widget=forms.DateInput(attrs=_DAY, format="%Y-%m-%d"),
        help_text=_("When the certificate itself says so."),
        error_messages={"invalid": _("Enter a date.")},
    )
    file = forms.FileField(
        label=_("The certificate"),
        required=False,
        help_text=_("A PDF, PNG, JPEG or WebP file of up to 10 MB."),
        widget=forms.FileInput(attrs={"accept": ACCEPTED}),
    )

    def __init__(self, program: Program, person: Staff, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.certifications = {
            row.public_id: row for row in taking_proof(program) if is_for(row.roles, person.role)
        }
        field = self.fields["certification"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101
        field.choices = [(key, in_language(row.name)) for key, row in self.certifications.items()]


def taking_proof(program: Program) -> list[Certification]:
    """Return the certifications of a program for which certificates of others are taken."""
    rows = Certification.objects.filter(program=program, retired_at=None, takes_proof=True)
    return list(rows.order_by("created_at", "pk"))
