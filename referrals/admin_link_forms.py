"""The forms of the back office about links: which other one takes a link's place, and who of many gets the same one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partners.models import Membership
from referrals.link_form import LinkForm
from referrals.models import Link


class ReplaceForm(forms.Form):
    """Which link takes the place of another one; none ends the replacement."""

    use_required_attribute = False

    by_link = forms.ModelChoiceField(
        label=gettext_lazy("Send its visitors to"),
        queryset=Link.objects.none(),
        required=False,
        empty_label=gettext_lazy("Nowhere else: it leads to its own page"),
    )


class ManyForm(LinkForm):
    """One link for each of many partners."""

    who = forms.ChoiceField(
        label=gettext_lazy("For whom"),
        choices=[
            ("chosen", gettext_lazy("Those ticked below")),
            ("all", gettext_lazy("All active partners of the program")),
        ],
        initial="chosen",
        widget=forms.RadioSelect,
    )
    partners = forms.MultipleChoiceField(
        label=gettext_lazy("Partners"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, memberships: Sequence[Membership], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(each.public_id, each.partner.name) for each in memberships]
        self.fields["partners"].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Ask for somebody."""
        given = super().clean() or {}
        if given.get("who") == "chosen" and not given.get("partners") and not self.errors:
            self.add_error("partners", _("Tick at least one partner, or choose all."))
        return given
