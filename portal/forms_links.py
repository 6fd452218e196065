"""The partner's forms about links besides the link itself: which other one takes its place, and sub-ids. They read what was typed; the verbs
decide."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from referrals.models import Link

SUBS = ("sub1", "sub2", "sub3", "sub4", "sub5")
_PLAIN = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}


class ReplaceForm(forms.Form):
    """Which link takes the place of another one."""

    use_required_attribute = False

    by_link = forms.ChoiceField(label=_("Send its visitors to"))

    def __init__(self, *args: Any, links: Iterable[Link], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(link.public_id, f"{link.label} ({link.slug})") for link in links]
        self.fields["by_link"] = forms.ChoiceField(
            label=_("Send its visitors to"), choices=[("", _("Choose")), *choices]
        )


class SubIdsForm(forms.Form):
    """Up to five sub-ids that a link carries."""

    use_required_attribute = False
    _word = RegexValidator(
        r"\A[A-Za-z0-9_.~-]{1,64}\Z",
        _("Use letters, digits, dots, hyphens and underscores, up to 64 of them."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for number, name in enumerate(SUBS, start=1):
            self.fields[name] = forms.CharField(
                label=_("Sub-id %(number)s") % {"number": number},
                required=False,
                validators=[self._word],
                widget=forms.TextInput(attrs=_PLAIN),
            )

    def chosen(self) -> dict[str, str]:
        """Return the sub-ids that say something."""
        return {name: self.cleaned_data[name] for name in SUBS if self.cleaned_data[name]}
