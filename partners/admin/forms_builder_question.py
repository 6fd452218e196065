"""The form on which one question of an application form is written. It names at its own field what keeps a question from being asked."""

from __future__ import annotations

import re
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from partners.admin.forms_builder_forms import LONGEST_LABEL, WordsForm, initial_words
from partners.application_forms.definition import (
    AUDIENCE,
    KINDS,
    LANGUAGES,
    LARGEST_NUMBER,
    LONGEST_LONG_TEXT,
    MOST_CHANNELS,
    MOST_CHOICES,
    MOST_REFERENCES,
    STANDARD,
    STANDARD_KEYS,
    TAKEN_KEYS,
    TRIO,
    YOU,
    Choice,
    Definition,
    Question,
)
from partners.application_forms.editing import BadChoices, choices_in, choices_text, key_from
from partners.application_forms.validators import printable
from tiers.choices import PartnershipType

KIND_NAMES = {
    "text": _("Short text"),
    "long_text": _("Long text"),
    "number": _("Number"),
    "choice": _("One of several choices"),
    "multiple": _("Any of several choices"),
    "date": _("Date"),
    "country": _("Country"),
    "url": _("Web address"),
    "file": _("File"),
    STANDARD: _("Standard question"),
}
STEP_NAMES = {YOU: _("About the applicant"), AUDIENCE: _("Audience or company")}
_WITH_LIMITS = frozenset({"text", "long_text", "number", "multiple", "file"})
_ROWS = {"channels": MOST_CHANNELS, "references": MOST_REFERENCES}
_LONGEST_HELP = 300
_ORDER = (
    *(f"label_{language}" for language in LANGUAGES),
    *("kind", "choices", "required", "step", "types", "least", "most"),
    *(f"help_{language}" for language in LANGUAGES),
    "key",
)


class QuestionForm(WordsForm):
    """One question. A question of ours keeps its kind; without words of its own it is asked in ours."""

    key = forms.CharField(
        label=_("Key"),
        max_length=40,
        required=False,
        help_text=_("The name of the answer in exports and rules. Empty: made from the question."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    kind = forms.ChoiceField(
        label=_("Kind of answer"),
        choices=[(kind, KIND_NAMES[kind]) for kind in KINDS],
        error_messages={"required": _("Choose what kind of answer you expect.")},
    )
    step = forms.ChoiceField(
        label=_("Asked on the step"),
        choices=list(STEP_NAMES.items()),
        widget=forms.RadioSelect,
        initial=AUDIENCE,
    )
    required = forms.BooleanField(label=_("Has to be answered"), required=False)
    types = forms.MultipleChoiceField(
        label=_("Asked of"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None chosen: everybody is asked."),
    )
    choices = forms.CharField(
        label=_("Choices"),
        required=False,
        max_length=8000,
        validators=[printable],
        help_text=_(
            "For kinds with choices, one a line: value | English | French | Polish | tier. What stands after the value may be "
            "left out; the key of a tier proposes where the applicant is placed when approved."
        ),
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
    )
    least = forms.IntegerField(
        label=_("Least"),
        required=False,
        min_value=-LARGEST_NUMBER,
        max_value=LARGEST_NUMBER,
        help_text=_("The shortest text, the smallest number, or the fewest choices or rows."),
    )
    most = forms.IntegerField(
        label=_("Most"),
        required=False,
        min_value=-LARGEST_NUMBER,
        max_value=LARGEST_NUMBER,
        help_text=_("The longest text, the largest number, or the most choices, files or rows."),
    )

    def __init__(
        self,
        data: Any = None,
        *,
        definition: Definition,
        tiers: frozenset[str],
        question: Question | None = None,
    ) -> None:
        super().__init__(data, initial=_initial(question))
        self.definition, self.tiers, self.question_before = definition, tiers, question
        self.add_words(
            "label",
            {
                "en": _("Question, in English"),
                "fr": _("Question, in French"),
                "pl": _("Question, in Polish"),
            },
            longest=LONGEST_LABEL,
        )
        self.add_words(
            "help",
            {"en": _("Help, in English"), "fr": _("Help, in French"), "pl": _("Help, in Polish")},
            longest=_LONGEST_HELP,
        )
        self.order_fields(_ORDER)
        self._keep_what_applies()

    def question(self) -> Question:
        """Return the question that was written."""
        given, before = self.cleaned_data, self.question_before
        return Question(
            key=given["key"],
            kind=before.kind if before is not None and before.is_standard else given["kind"],
            step=given.get("step") or YOU,
            required=given.get("required", True),
            label=self.words("label"),
            help=self.words("help"),
            types=tuple(given.get("types") or ()),
            choices=given.get("choices") or (),
            least=given.get("least"),
            most=given.get("most"),
        )

    def clean(self) -> dict[str, Any]:
        """Name at its field what a question lacks."""
        given = super().clean() or {}
        kind = given.get("kind", "")
        is_ours = self.question_before is not None and self.question_before.is_standard
        if not is_ours and not given.get("label_en") and "label_en" not in self.errors:
            self.add_error(
                "label_en", _("Write the question in English; it is shown where a translation is missing.")
            )
        given["key"] = self._clean_own_key(given)
        if "choices" in self.fields:
            given["choices"] = self._clean_own_choices(kind, given.get("choices", ""))
        self._clean_limits(kind, given)
        return given

    def _clean_own_key(self, given: dict[str, Any]) -> str:
        if self.question_before is not None:
            return self.question_before.key
        key = str(given.get("key") or "")
        if not key:
            return key_from(given.get("label_en") or "question", taken=self.definition)
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", key):
            self.add_error(
                "key", _("Use small letters, digits and _ and begin with a letter, such as how_many_clients.")
            )
        elif self.definition.question(key) or key in (*STANDARD_KEYS, *TAKEN_KEYS):
            self.add_error("key", _("This key is taken; write another one."))
        return key

    def _clean_own_choices(self, kind: str, text: str) -> tuple[Choice, ...]:
        if kind not in ("choice", "multiple"):
            if text:
                self.add_error(
                    "choices", _("This kind of answer has no choices; remove them or choose another kind.")
                )
            return ()
        try:
            found = choices_in(text, tiers=self.tiers)
        except BadChoices as refusal:
            self.add_error("choices", str(refusal))
            return ()
        if "choices" not in self.errors and not 2 <= len(found) <= MOST_CHOICES:
            self.add_error(
                "choices", _("Write two choices at least and thirty at most, each on its own line.")
            )
        return found

    def _clean_limits(self, kind: str, given: dict[str, Any]) -> None:
        least, most = given.get("least"), given.get("most")
        if least is not None and most is not None and least > most:
            self.add_error("most", _("The most has to be as large as the least, or larger."))
        if "least" not in self.fields or (self.question_before and self.question_before.is_standard):
            highest = _ROWS.get(self.question_before.key) if self.question_before else None
            if highest is not None and max(least or 0, most or 0) > highest:
                self.add_error("most", _("It takes %(most)d rows at most.") % {"most": highest})
            return
        if kind and kind not in _WITH_LIMITS and (least is not None or most is not None):
            self.add_error("least", _("This kind of answer has no least and no most; leave both empty."))
        elif kind != "number" and min(least or 0, most if most is not None else 1) < 0:
            self.add_error("least", _("Only numbers can be negative."))
        elif kind in ("text", "long_text") and max(least or 0, most or 0) > LONGEST_LONG_TEXT:
            said = _("A text has %(most)d letters at most.") % {"most": LONGEST_LONG_TEXT}
            self.add_error("most", said)
        elif kind == "multiple" and least and least > len(given.get("choices") or ()):
            self.add_error("least", _("So many choices are not there."))

    def _ask_for_rows(self) -> None:
        self.fields["least"].label, self.fields["least"].help_text = _("Rows at least"), ""
        self.fields["most"].label, self.fields["most"].help_text = _("Rows at most"), ""

    def _types_before(self) -> tuple[str, ...]:
        """Return the types the question is asked of that the form does not offer any more."""
        before = self.question_before.types if self.question_before else ()
        return tuple(each for each in before if each not in self.definition.partnership_types)

    def _keep_what_applies(self) -> None:
        """Ask only what can be said about this question."""
        types = cast(forms.MultipleChoiceField, self.fields["types"])
        labels = dict(PartnershipType.choices)
        offered = (*self.definition.partnership_types, *self._types_before())
        types.choices = [(each, labels[PartnershipType(each)]) for each in offered]
        before = self.question_before
        gone: set[str] = set()
        if len(offered) < 2:
            gone.add("types")
        if before is not None:
            gone.add("key")
        if before is not None and before.is_standard:
            gone |= {"kind", "choices"}
            if before.key not in _ROWS:
                gone |= {"least", "most"}
            else:
                self._ask_for_rows()
        if before is not None and before.key in TRIO:
            gone |= {"required", "types", "step"}
        for name in gone:
            del self.fields[name]


def _initial(question: Question | None) -> dict[str, Any]:
    if question is None:
        return {"step": AUDIENCE}
    return {
        "kind": question.kind,
        "step": question.step,
        "required": question.required,
        "types": list(question.types),
        "choices": choices_text(question.choices),
        "least": question.least,
        "most": question.most,
        **initial_words("label", question.label),
        **initial_words("help", question.help),
    }
