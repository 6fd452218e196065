"""Ask the questions of a form, step by step, and keep the answers with an application: ours in columns, the program's own in `answers`.
An answer is shown in the reader's language as it was given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from partners.application_forms.channels import ChannelKind
from partners.application_forms.definition import (
    AUDIENCE,
    MOST_FILES,
    STANDARD,
    STANDARD_KEYS,
    TYPE,
    YOU,
    Definition,
    Question,
    read,
    words_in,
)
from partners.application_forms.fields import FilesField, plain, too_many_files
from partners.application_forms.fields_of import field_for
from partners.application_forms.wording import label_of
from partners.models import Application
from prm.accounts.emails import fold_email
from prm.lib import country_names, l10n
from tiers.choices import PartnershipType

TYPE_FIELD = "partnership_type"
_ABOUT_YOU = frozenset(
    {"full_name", "email", "phone", "company", "country", "street", "postcode", "town", "vat_number"}
)
# Kept in tables of their own, by verbs of their own.
_KEPT_ELSEWHERE = frozenset({"references"})


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer as it is read; an empty `value` means that nothing was said. Lines of an answer stand below each other."""

    key: str
    label: str
    value: str
    step: str
    is_file: bool = False


class StepForm(forms.Form):
    """The questions of one step, or of the whole form when there are no steps; every answer is checked by the server."""

    use_required_attribute = False  # the server answers with all errors at once, in the reader's language

    def __init__(
        self,
        *,
        definition: Definition,
        step: str,
        partnership_type: str,
        language: str,
        data: Any = None,
        files: Any = None,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data, files, initial=dict(initial or {}))
        if step == TYPE:
            self.fields[TYPE_FIELD] = _type_field(definition)
            return
        for question in definition.asked(partnership_type=partnership_type, step=step):
            self.fields[question.key] = field_for(question, language=language)

    @property
    def has_files(self) -> bool:
        """Tell whether a file is asked for, so that the page sends files."""
        return any(isinstance(field, FilesField) for field in self.fields.values())

    def clean(self) -> dict[str, Any]:
        """Hold the files of all questions together to what one application may bring."""
        given = super().clean() or {}
        asking = [name for name, field in self.fields.items() if isinstance(field, FilesField)]
        kept = [each for name in asking for each in self.initial.get(name) or []]
        new = sum(len(given.get(name) or []) for name in asking)
        if asking:
            try:
                too_many_files(new, kept=kept, most=MOST_FILES)
            except forms.ValidationError as refusal:
                self.add_error(next(name for name in asking if given.get(name)), refusal)
        return given


def form_for(
    definition: Definition,
    *,
    step: str,
    partnership_type: str,
    language: str,
    data: Any = None,
    files: Any = None,
    initial: Mapping[str, Any] | None = None,
) -> StepForm:
    """Return the form of one step for one partnership type; an empty `step` asks everything on one page."""
    return StepForm(
        definition=definition,
        step=step,
        partnership_type=partnership_type,
        language=language,
        data=data,
        files=files,
        initial=initial,
    )


def definition_of(application: Application) -> Definition:
    """Return the form an application was filled with; one from before there were forms asked our own questions."""
    if application.form is not None:
        return read(application.form.definition)
    said = [key for key in STANDARD_KEYS if key not in _KEPT_ELSEWHERE and getattr(application, key)]
    return Definition(
        questions=tuple(
            Question(key=key, kind=STANDARD, step=YOU if key in _ABOUT_YOU else AUDIENCE) for key in said
        ),
        partnership_types=(_type_of(application),),
    )


def values_of(application: Application, definition: Definition) -> dict[str, Any]:
    """Return what was answered so far, as `form_for` takes it for `initial`."""
    values: dict[str, Any] = {TYPE_FIELD: application.partnership_type}
    for question in definition.questions:
        values[question.key] = _value_of(application, question)
    return values


def store(application: Application, definition: Definition, cleaned: Mapping[str, Any]) -> list[str]:
    """Put the answers of a valid step on `application`, and return the columns that were set, for `save(update_fields=...)`.

    Files and references are kept by their own verbs; what was not asked is left alone.
    """
    changed: dict[str, Any] = {}
    answers = dict(application.answers)
    for key, value in cleaned.items():
        question = definition.question(key)
        if key == TYPE_FIELD:
            changed[TYPE_FIELD] = value
        elif question is None or key in _KEPT_ELSEWHERE or question.kind == "file":
            continue
        elif question.is_standard:
            changed[key] = value
        else:
            answers[key] = _as_json(value)
    if "email" in changed:
        changed["email_folded"] = fold_email(changed["email"])
    if answers != application.answers:
        changed["answers"] = answers
    for name, value in changed.items():
        setattr(application, name, value)
    return list(changed)


def answers_shown(application: Application, language: str) -> list[Answer]:
    """Return every question the applicant was asked with what they said, in the order of the form."""
    definition = definition_of(application)
    kind = _type_of(application)
    shown = []
    if len(definition.partnership_types) > 1:
        label = str(PartnershipType(kind).label) if kind in PartnershipType.values else ""
        shown.append(Answer(TYPE_FIELD, _("What do you want to be?"), label, TYPE))
    shown.extend(
        Answer(
            key=question.key,
            label=words_in(label_of(question), language),
            value=_said(question, _value_of(application, question), language),
            step=question.step,
            is_file=question.kind == "file",
        )
        for question in definition.asked(partnership_type=kind)
    )
    return shown


def proposed_tier(application: Application) -> str:
    """Return the key of the tier that the chosen answers propose, the first that proposes one; nothing when none does."""
    for question in definition_of(application).asked(partnership_type=_type_of(application)):
        chosen = application.answers.get(question.key)
        for choice in question.choices:
            if choice.tier and (choice.value == chosen or choice.value in _listed(chosen)):
                return choice.tier
    return ""


def _type_field(definition: Definition) -> forms.Field:
    said = _("Choose what you want to be.")
    labels = dict(PartnershipType.choices)
    return forms.ChoiceField(
        label=_("What do you want to be?"),
        choices=[(kind, labels[PartnershipType(kind)]) for kind in definition.partnership_types],
        error_messages={"required": said, "invalid_choice": said},
        widget=forms.RadioSelect,
    )


def _type_of(application: Application) -> str:
    return application.partnership_type or application.program.partnership_type


def _value_of(application: Application, question: Question) -> Any:
    if question.kind == "file":
        return [each.name for each in application.files.all() if each.field_key == question.key]
    if question.key == "references" and question.is_standard:
        return [
            {key: getattr(each, key) for key in ("full_name", "company", "email", "relation")}
            for each in application.references.all()
        ]
    if question.is_standard:
        return getattr(application, question.key)
    return application.answers.get(question.key, [] if question.kind == "multiple" else "")


def _as_json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else value


def _said(question: Question, value: Any, language: str) -> str:
    if value in (None, "", []):
        return ""
    if question.is_standard:
        return _said_to_us(question.key, value, language)
    match question.kind:
        case "choice" | "multiple":
            return l10n.list_text(_labels(question, _listed(value) or [str(value)], language), language)
        case "number":
            return l10n.number_text(Decimal(str(value)), language)
        case "date":
            return l10n.date_text(date.fromisoformat(str(value)), language)
        case "country":
            return country_names.name(str(value), language)
        case "file":
            return "\n".join(value)
    return str(value)


def _said_to_us(key: str, value: Any, language: str) -> str:
    if key == "country":
        return country_names.name(str(value), language)
    if key == "channels":
        return "\n".join(_channel(row, language) for row in value)
    if key == "references":
        return "\n".join(", ".join(str(part) for part in row.values() if part) for row in value)
    return str(value)


def _channel(row: Mapping[str, Any], language: str) -> str:
    known = {str(value): str(label) for value, label in ChannelKind.choices}
    kind = str(row.get("kind", ""))
    parts = {"kind": known.get(kind, kind), "address": row.get("url", "")}
    if row.get("audience") in (None, ""):
        return _("%(kind)s: %(address)s") % parts
    size = l10n.number_text(int(row["audience"]), language)
    return _("%(kind)s: %(address)s (audience %(size)s)") % {**parts, "size": size}


def _labels(question: Question, values: Sequence[str], language: str) -> list[str]:
    known = {choice.value: words_in(choice.label, language) for choice in question.choices}
    return [known.get(value, value) for value in values]


def _listed(value: Any) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []
