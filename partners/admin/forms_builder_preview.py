"""How applicants see a form: every step with its questions, in the language and for the partnership type that were chosen. It is made by
what makes the real pages, and nothing can be sent from it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from partners.admin.forms_builder_forms import PreviewForm
from partners.application_forms import offer_words
from partners.application_forms.asking import form_for
from partners.application_forms.definition import AUDIENCE, TYPE, YOU, Definition, read, words_in
from partners.models import FormVersion


def context(version: FormVersion, chosen: Mapping[str, Any], *, at: datetime) -> dict[str, Any]:
    """Return what the page shows: the choice of reader, and the form as that reader sees it."""
    definition = read(version.definition)
    form = PreviewForm(chosen, definition=definition)
    kind = form.chosen("partnership_type", definition.partnership_types[0])
    language = form.chosen("language", "en")
    with translation.override(language):
        # Rendered here, while the language is in force that the reader would have.
        shown = render_to_string(
            "admin/partners/formversion/as_applicant.html",
            {
                "program": version.program,
                "sentence": offer_words.sentence(version.program, at=at),
                "call_to_action": words_in(definition.call_to_action, language),
                "introduction": words_in(definition.introduction, language),
                "steps": _steps(definition, kind, language),
            },
        )
    return {"form": form, "shown": shown, "language": language}


def _steps(definition: Definition, kind: str, language: str) -> list[tuple[str, Any]]:
    titles = {TYPE: _("Partnership type"), YOU: _("About you"), AUDIENCE: _("Your audience or company")}
    return [
        (titles[step], form_for(definition, step=step, partnership_type=kind, language=language))
        for step in definition.steps()
        if step in titles
    ]
