"""The form by which a partner tells what it did besides selling. It reads what was typed; the verbs decide."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from partners.application_forms.validators import one_line, printable
from partners.choices import ActivityKind
from partners.engagement.told import Told
from partners.models import Activity
from partners.uploads import ACCEPTED


class ActivityForm(forms.Form):
    """One activity, with what shows that it took place."""

    use_required_attribute = False

    kind = forms.ChoiceField(label=_("What it was"), choices=[("", _("Choose")), *ActivityKind.choices])
    title = forms.CharField(
        label=_("Title"),
        max_length=140,
        validators=[printable, one_line],
        error_messages={"required": _("Give it a title.")},
        help_text=_("For example: “Gifts for offices”, webinar with 40 guests."),
    )
    held_on = forms.DateField(
        label=_("Day"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": _("Say on which day it was.")},
    )
    url = forms.CharField(
        label=_("Address"),
        required=False,
        max_length=300,
        widget=forms.URLInput(),
        help_text=_("Where it can be seen: the article, the recording, the page of the event."),
    )
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
        help_text=_("A PDF, PNG, JPEG or WebP file of up to 10 MB."),
    )

    def told(self) -> Told:
        """Return what was said, as the verbs want it."""
        return Told(**{name: self.cleaned_data[name] for name in (*_TEXTS, "file")})


class ChangeActivityForm(ActivityForm):
    """An activity that waits: its file can also be taken away."""

    without_file = forms.BooleanField(label=_("Take the file away"), required=False)

    def __init__(self, *args: Any, activity: Activity, **kwargs: Any) -> None:
        kwargs["initial"] = {name: getattr(activity, name) for name in _TEXTS}
        super().__init__(*args, **kwargs)
        if not activity.file:
            del self.fields["without_file"]


_TEXTS = ("kind", "title", "held_on", "url", "description")
