"""The forms of the pages on which application forms are written. They read what was typed into questions; what a form may ask is decided
by the definition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from partners.application_forms.definition import (
    LANGUAGES,
    Definition,
    Words,
)
from partners.application_forms.differences import LANGUAGE_NAMES
from partners.application_forms.editing import Top
from partners.application_forms.validators import one_line, printable
from tiers.choices import PartnershipType

IN_USE, STANDARD_FORM = "in_use", "standard"
LONGEST_LABEL, LONGEST_INTRODUCTION = 160, 1200


class WordsForm(forms.Form):
    """A form with texts in three languages: `label_en`, `label_fr` and so on."""

    use_required_attribute = False

    def add_words(self, name: str, labels: Mapping[str, Any], *, longest: int, rows: int = 0) -> None:
        """Ask for a text in each language."""
        for language in LANGUAGES:
            widget = forms.Textarea(attrs={"rows": rows}) if rows else forms.TextInput()
            widget.attrs["lang"] = language
            self.fields[f"{name}_{language}"] = forms.CharField(
                label=labels[language],
                max_length=longest,
                required=False,
                validators=[printable] if rows else [printable, one_line],
                widget=widget,
            )

    def words(self, name: str) -> dict[str, str]:
        """Return the texts that were written, by language."""
        given = {language: self.cleaned_data.get(f"{name}_{language}", "") for language in LANGUAGES}
        return {language: text for language, text in given.items() if text}


def initial_words(name: str, words: Words) -> dict[str, str]:
    """Return texts as a form's initial values."""
    return {f"{name}_{language}": words.get(language, "") for language in LANGUAGES}


class StartForm(forms.Form):
    """What a new version begins with."""

    use_required_attribute = False
    start = forms.ChoiceField(
        label=_("Begin with"),
        choices=[(IN_USE, _("the form in use")), (STANDARD_FORM, _("the standard form"))],
        widget=forms.RadioSelect,
        initial=IN_USE,
        error_messages={"required": _("Choose what the new version begins with.")},
    )


class TopForm(WordsForm):
    """What stands above the questions, and which partnership types can be chosen."""

    partnership_types = forms.MultipleChoiceField(
        label=_("Partnership types offered"),
        choices=PartnershipType.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("With more than one, the form begins with the question which it is to be."),
        error_messages={"required": _("Choose at least one partnership type.")},
    )

    def __init__(self, data: Any = None, *, definition: Definition) -> None:
        initial = {
            "partnership_types": list(definition.partnership_types),
            **initial_words("call_to_action", definition.call_to_action),
            **initial_words("introduction", definition.introduction),
        }
        super().__init__(data, initial=initial)
        self.add_words(
            "call_to_action",
            {
                "en": _("Call to action, in English"),
                "fr": _("Call to action, in French"),
                "pl": _("Call to action, in Polish"),
            },
            longest=LONGEST_LABEL,
        )
        self.add_words(
            "introduction",
            {
                "en": _("Introduction, in English"),
                "fr": _("Introduction, in French"),
                "pl": _("Introduction, in Polish"),
            },
            longest=LONGEST_INTRODUCTION,
            rows=3,
        )

    def top(self) -> Top:
        """Return what was written."""
        return Top(
            partnership_types=tuple(self.cleaned_data["partnership_types"]),
            call_to_action=self.words("call_to_action"),
            introduction=self.words("introduction"),
        )


class PreviewForm(forms.Form):
    """Who looks at the form, and in which language."""

    partnership_type = forms.ChoiceField(label=_("As"), required=False)
    language = forms.ChoiceField(
        label=_("In"), choices=[(code, LANGUAGE_NAMES[code]) for code in LANGUAGES], required=False
    )

    def __init__(self, data: Any, *, definition: Definition) -> None:
        labels = dict(PartnershipType.choices)
        first = definition.partnership_types[0]
        chosen = {
            "partnership_type": data.get("partnership_type") or first,
            "language": data.get("language") or "en",
        }
        super().__init__(chosen)
        kinds = cast(forms.ChoiceField, self.fields["partnership_type"])
        kinds.choices = [(each, labels[PartnershipType(each)]) for each in definition.partnership_types]

    def chosen(self, name: str, otherwise: str) -> str:
        """Return what was chosen; an address written by hand that names something else shows the first."""
        return str(self.cleaned_data.get(name) or otherwise) if self.is_valid() else otherwise
