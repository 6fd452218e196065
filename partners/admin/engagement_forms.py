"""Forms of the pages about activities and figures. A form only asks; the verbs decide."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from partners.admin.forms import DATE
from partners.application_forms.validators import one_line, printable
from partners.choices import ActivityKind
from partners.engagement.figures import LABELS
from partners.engagement.told import Told
from partners.uploads import ACCEPTED


class EnterActivityForm(forms.Form):
    """What staff knows a partner did."""

    use_required_attribute = False

    kind = forms.ChoiceField(label=_("What it was"), choices=[("", _("Choose")), *ActivityKind.choices])
    title = forms.CharField(label=_("Title"), max_length=140, validators=[printable, one_line])
    held_on = forms.DateField(label=_("Day"), widget=DATE)
    url = forms.CharField(label=_("Address"), required=False, max_length=300, widget=forms.URLInput())
    description = forms.CharField(
        label=_("What happened"),
        required=False,
        max_length=2000,
        validators=[printable],
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    file = forms.FileField(
        label=_("Evidence"),
        required=False,
        widget=forms.FileInput(attrs={"accept": ACCEPTED}),
        help_text=_("PDF, PNG, JPEG or WebP, up to 10 MB."),
    )

    def told(self) -> Told:
        """Return what was said, as the verbs want it."""
        return Told(**self.cleaned_data)


class ReasonForm(forms.Form):
    """Why something does not count, as the partner reads it."""

    use_required_attribute = False

    reason = forms.CharField(
        label=_("Why it does not count"),
        max_length=300,
        validators=[printable],
        help_text=_("The partner reads it, in the portal and in a mail."),
        error_messages={"required": _("Say why it does not count: the partner reads it.")},
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class FigureForm(forms.Form):
    """One figure as of a day, with where it comes from."""

    use_required_attribute = False

    metric = forms.ChoiceField(label=_("Figure"), choices=[("", _("Choose")), *LABELS.items()])
    value = forms.IntegerField(
        label=_("Value"),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={"invalid": _("Write a whole number, zero or more.")},
    )
    counted_on = forms.DateField(label=_("As of"), widget=DATE)
    note = forms.CharField(
        label=_("Where it comes from"),
        max_length=300,
        validators=[printable, one_line],
        help_text=_(
            "For example: business review of 2 March. The partner reads it beside a review of its tier."
        ),
    )


class FigureListForm(forms.Form):
    """Figures of many memberships, pasted or as a file."""

    use_required_attribute = False

    text = forms.CharField(
        label=_("Paste the list"),
        required=False,
        max_length=1_000_000,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        help_text=_(
            "One figure a line: membership, figure, value, day, source. The first line names the columns."
        ),
    )
    file = forms.FileField(
        label=_("Or a file"),
        required=False,
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,text/csv,text/plain"}),
        help_text=_("CSV, up to 1 MB and 2,000 lines."),
    )

    def clean(self) -> dict[str, object]:
        """Ask for one of the two."""
        given = super().clean() or {}
        if not self.errors and bool(given.get("file")) == bool(str(given.get("text", "")).strip()):
            self.add_error("text", _("Paste a list, or choose a file."))
        return given
