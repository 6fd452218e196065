"""The forms around an application; its questions come from the program's own form. Every error says what is wrong and how to put it right,
beside its field and in the summary."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from partners.application_forms.validators import printable
from partners.choices import ReferenceAnswer, TermsSection
from partners.clause_questions import LONGEST_QUESTION


class AcceptForm(forms.Form):
    """The last page: the terms that were shown, and the tick that accepts them."""

    use_required_attribute = False

    accept = forms.BooleanField(
        label=_("I have read the terms and accept them"),
        error_messages={"required": _("Read the terms and tick the box to accept them.")},
    )
    terms = forms.CharField(max_length=40, widget=forms.HiddenInput)


class AskForm(forms.Form):
    """A question about a section of the terms, before they are accepted."""

    use_required_attribute = False

    section = forms.ChoiceField(
        label=_("Which section?"),
        choices=TermsSection.choices,
        error_messages={
            "required": _("Choose the section you ask about."),
            "invalid_choice": _("Choose the section you ask about."),
        },
    )
    text = forms.CharField(
        label=_("Your question"),
        max_length=LONGEST_QUESTION,
        validators=[printable],
        error_messages={"required": _("Write your question.")},
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class LinkForm(forms.Form):
    """Where a fresh link goes."""

    use_required_attribute = False

    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        help_text=_("The one you gave in the application."),
        error_messages={
            "required": _("Enter your e-mail address."),
            "invalid": _("Enter an e-mail address like name@example.com."),
        },
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )


class ReferenceForm(forms.Form):
    """What a reference says."""

    use_required_attribute = False

    answer = forms.ChoiceField(
        label=_("Do you know this applicant, and can you confirm what is said above?"),
        choices=[
            (ReferenceAnswer.CONFIRMED.value, _("Yes, I confirm it")),
            (ReferenceAnswer.DENIED.value, _("No, I cannot confirm it")),
        ],
        error_messages={
            "required": _("Say whether you know this applicant."),
            "invalid_choice": _("Say whether you know this applicant."),
        },
        widget=forms.RadioSelect,
    )
    comment = forms.CharField(
        label=_("Anything we should know?"),
        required=False,
        max_length=2000,
        validators=[printable],
        widget=forms.Textarea(attrs={"rows": 4}),
    )


class ReplyForm(forms.Form):
    """An applicant's answer to a question of ours."""

    use_required_attribute = False

    text = forms.CharField(
        label=_("Your message"),
        max_length=4000,
        validators=[printable],
        error_messages={"required": _("Write a message first.")},
        widget=forms.Textarea(attrs={"rows": 5}),
    )
