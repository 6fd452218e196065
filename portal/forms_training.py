"""The questions of a quiz as a form: one choice where one is right, several where several are. It reads what was chosen; the verb marks it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from partners.certification import quiz
from partners.checklists import in_language


class QuizForm(forms.Form):
    """One field for each question, in order, and which questions were read."""

    use_required_attribute = False

    seen = forms.CharField(widget=forms.HiddenInput, required=False, max_length=32)

    def __init__(self, questions: Sequence[Mapping[str, Any]], data: Any = None) -> None:
        super().__init__(data, initial={"seen": quiz.fingerprint(questions)})
        self._count = len(questions)
        for place, question in enumerate(questions):
            self.fields[f"q{place}"] = _field(place + 1, question)

    def answers(self) -> list[list[int]]:
        """Return the places of what was chosen, question by question."""
        chosen = [self.cleaned_data[f"q{place}"] for place in range(self._count)]
        return [[int(each) for each in (given if isinstance(given, list) else [given])] for given in chosen]


def _field(number: int, question: Mapping[str, Any]) -> forms.ChoiceField:
    choices = [(str(place), in_language(each["text"])) for place, each in enumerate(question["choices"])]
    label = _("%(number)s. %(question)s") % {"number": number, "question": in_language(question["text"])}
    unanswered = _("Answer question %(number)s.") % {"number": number}
    errors = {"required": unanswered, "invalid_choice": unanswered, "invalid_list": unanswered}
    if len(quiz.right_choices(question)) > 1:
        return forms.MultipleChoiceField(
            label=label,
            choices=choices,
            error_messages=errors,
            widget=forms.CheckboxSelectMultiple,
            help_text=_("Choose all that are right."),
        )
    return forms.ChoiceField(label=label, choices=choices, error_messages=errors, widget=forms.RadioSelect)
