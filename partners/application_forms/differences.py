"""What two forms ask differently, and what is worth a look before one is published. Nothing here keeps a form from being published: what
cannot be asked at all was refused when it was written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partners.application_forms.definition import LANGUAGES, Choice, Definition, Question, Words
from partners.application_forms.editing import name_of
from prm.lib import l10n
from tiers.choices import PartnershipType

ADDED, REMOVED, CHANGED = "added", "removed", "changed"
LANGUAGE_NAMES: dict[str, str | Promise] = {
    "en": gettext_lazy("English"),
    "fr": gettext_lazy("French"),
    "pl": gettext_lazy("Polish"),
}
_PARTS: dict[str, str | Promise] = {
    "label": gettext_lazy("the question’s words"),
    "help": gettext_lazy("the help"),
    "kind": gettext_lazy("the kind of answer"),
    "step": gettext_lazy("the step"),
    "required": gettext_lazy("whether it has to be answered"),
    "types": gettext_lazy("who is asked"),
    "choices": gettext_lazy("the choices"),
    "least": gettext_lazy("the least"),
    "most": gettext_lazy("the most"),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One question that is added, removed or asked differently; `parts` name what is different."""

    kind: str
    name: str
    parts: str = ""


def differences(before: Definition, after: Definition, *, language: str) -> list[Difference]:
    """Return what `after` asks differently from `before`, in the order people look for it."""
    found = [
        Difference(ADDED, name_of(each, language))
        for each in after.questions
        if before.question(each.key) is None
    ]
    for each in before.questions:
        now = after.question(each.key)
        if now is None:
            found.append(Difference(REMOVED, name_of(each, language)))
        elif now != each:
            found.append(Difference(CHANGED, name_of(now, language), _different_parts(each, now, language)))
    found.extend(_around(before, after))
    return found


def findings(definition: Definition, *, language: str) -> list[str]:
    """Return what is worth a look: texts not translated, and questions nobody is asked."""
    return list(_findings(definition, language))


def _findings(definition: Definition, language: str) -> Iterator[str]:
    for each in definition.questions:
        name = name_of(each, language)
        missing = _missing(each)
        if missing:
            yield (
                _("“%(question)s” is not translated into %(languages)s; English is shown instead.")
                % {"question": name, "languages": _named(missing, language)}
            )
        if each.types and not set(each.types) & set(definition.partnership_types):
            yield _("“%(question)s” is asked of nobody: the form is not for its partnership types.") % {
                "question": name
            }
    for title, words in (
        (_("Call to action"), definition.call_to_action),
        (_("Introduction"), definition.introduction),
    ):
        missing = _gaps(words)
        if missing:
            yield (
                _("%(text)s: a text in %(languages)s is missing; another language is shown instead.")
                % {"text": title, "languages": _named(missing, language)}
            )


def _missing(question: Question) -> list[str]:
    """Return the languages in which something of a question is missing."""
    texts = [question.label, question.help, *(choice.label for choice in question.choices)]
    gaps = {code for words in texts for code in _gaps(words)}
    return [code for code in LANGUAGES if code in gaps]


def _gaps(words: Words) -> list[str]:
    return [code for code in LANGUAGES if not words.get(code)] if words else []


def _named(codes: list[str], language: str) -> str:
    return l10n.list_text([str(LANGUAGE_NAMES[code]) for code in codes], language)


def _different_parts(before: Question, after: Question, language: str) -> str:
    parts = [str(label) for name, label in _PARTS.items() if getattr(before, name) != getattr(after, name)]
    if before.choices != after.choices and _only_tiers(before.choices, after.choices):
        parts = [
            _("the tiers its choices propose") if part == str(_PARTS["choices"]) else part for part in parts
        ]
    return l10n.list_text(parts, language)


def _only_tiers(before: tuple[Choice, ...], after: tuple[Choice, ...]) -> bool:
    return [(each.value, each.label) for each in before] == [(each.value, each.label) for each in after]


def _around(before: Definition, after: Definition) -> Iterator[Difference]:
    if before.partnership_types != after.partnership_types:
        labels = dict(PartnershipType.choices)
        names = ", ".join(str(labels[PartnershipType(each)]) for each in after.partnership_types)
        yield Difference(CHANGED, _("Partnership types"), names)
    if before.call_to_action != after.call_to_action:
        yield Difference(CHANGED, _("Call to action"))
    if before.introduction != after.introduction:
        yield Difference(CHANGED, _("Introduction"))
    if [each.key for each in before.questions if after.question(each.key)] != [
        each.key for each in after.questions if before.question(each.key)
    ]:
        yield Difference(CHANGED, _("The order of the questions"))
