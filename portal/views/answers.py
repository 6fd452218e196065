"""Turn the refusals of verbs into errors people can act on, at the field they belong to."""

from __future__ import annotations

from django.forms import BaseForm

from prm.lib.errors import Refused


def explain_refusal(form: BaseForm, refusal: Refused) -> None:
    """Add a refusal to the form, at its field when the form has it."""
    field = refusal.field if refusal.field in form.fields else None
    form.add_error(field, str(refusal))
