"""The pages of a draft's rules: write one, take one out, change their order. Each page makes one call and says what became of it; without
a script every button reloads the page with everything typed still there."""

from __future__ import annotations

from itertools import count
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from prm.accounts.back_office import BackOfficeAdmin, attempt, person, require, row_url
from tiers import drafting
from tiers.admin import preview
from tiers.admin.order import ranked
from tiers.admin.rule_editor import LIMITS, Editor
from tiers.admin.rule_models import FAMILIES, LIMIT_FIELDS, MODELS, RATE_FIELDS, short_label
from tiers.choices import RateKind, VersionState
from tiers.models import PlanVersion

CONDITION_FIELDS = ("event_kinds", "tier_keys", "countries")
PARTS = {"fields": "admin/tiers/rule/fields.html", "preview": "admin/tiers/rule/preview.html"}


class RulePages:
    """The pages of rules, for the table of versions."""

    def __init__(self, desk: BackOfficeAdmin) -> None:
        self.desk = desk

    def urls(self) -> list[URLPattern]:
        """Return the addresses, below a version's."""
        view = self.desk.admin_site.admin_view
        both = require_http_methods(["GET", "POST"])
        return [
            path("<int:pk>/rules/add/", view(both(self.edit)), name="tiers_rule_add"),
            path("<int:pk>/rules/<int:rule_pk>/", view(both(self.edit)), name="tiers_rule_change"),
            path("<int:pk>/rules/<int:rule_pk>/remove/", view(both(self.remove)), name="tiers_rule_remove"),
            path("<int:pk>/rules/<int:rule_pk>/move/", view(require_POST(self.move)), name="tiers_rule_move"),
        ]

    def edit(self, request: HttpRequest, pk: int, rule_pk: int | None = None) -> HttpResponse:
        """Write a rule: show its form, its sentence and what it pays, and save it."""
        require(request, "publish_plans")
        version = draft(pk)
        rule = get_object_or_404(version.rules, pk=rule_pk) if rule_pk else None
        posted = request.POST if request.method == "POST" else None
        editor = Editor(version, rule=rule, data=posted)
        then = request.POST.get("then", "") if posted is not None else ""
        if then == "save" and editor.is_valid():
            done = self._saved(request, editor)
            if done is not None:
                return done
        elif then == "refresh":
            editor.is_valid()
        elif then == "show":
            editor.hush()
        return self._answer(request, editor, then)

    def remove(self, request: HttpRequest, pk: int, rule_pk: int) -> HttpResponse:
        """Take a rule out, after saying what that does."""
        require(request, "publish_plans")
        version = draft(pk)
        rule = get_object_or_404(version.rules, pk=rule_pk)
        if request.method == "POST":
            by, at = person(request), timezone.now()
            if attempt(request, lambda: drafting.remove_rule(rule, by=by, at=at)) is not None:
                messages.success(
                    request, _("“%(rule)s” is no longer part of the draft.") % {"rule": rule.name}
                )
            return HttpResponseRedirect(row_url(version))
        return self.desk.page(
            request,
            "admin/confirm.html",
            title=_("Remove “%(rule)s”") % {"rule": rule.name},
            parent=str(version),
            parent_url=row_url(version),
            consequences=[
                _("The rule leaves this draft. Versions that are published keep it."),
                _("Events that only it covers earn nothing once the draft is published."),
            ],
            verb=_("Remove the rule"),
        )

    def move(self, request: HttpRequest, pk: int, rule_pk: int) -> HttpResponse:
        """Let a rule change places with the one before or after it among those as specific."""
        require(request, "publish_plans")
        version = draft(pk)
        rule = get_object_or_404(version.rules, pk=rule_pk)
        other = ranked(version).beside(rule, step=-1 if request.POST.get("to") == "up" else 1)
        if other is not None:
            by, at = person(request), timezone.now()
            attempt(request, lambda: drafting.swap_rules(rule, other, by=by, at=at))
        return HttpResponseRedirect(row_url(version) + "#rules")

    def _saved(self, request: HttpRequest, editor: Editor) -> HttpResponse | None:
        rule = attempt(
            request,
            lambda: drafting.write_rule(
                editor.version, editor.stored(), rule=editor.rule, by=person(request), at=timezone.now()
            ),
            form=editor.form,
        )
        if rule is None:
            return None
        messages.success(request, _("“%(rule)s” is saved in the draft.") % {"rule": rule.name})
        return HttpResponseRedirect(row_url(editor.version) + "#rules")

    def _answer(self, request: HttpRequest, editor: Editor, then: str) -> HttpResponse:
        context = _context(editor, then)
        part = PARTS.get(request.headers.get("X-Part", ""))
        if part is not None:
            return TemplateResponse(request, part, context)
        faults = editor.faults if then in ("save", "refresh") else []
        return self.desk.page(
            request,
            "admin/tiers/rule/editor.html",
            title=_("Rule “%(rule)s”") % {"rule": editor.rule.name} if editor.rule else _("New rule"),
            parent=str(editor.version),
            parent_url=row_url(editor.version),
            errors=bool(faults),
            faults=faults,
            **context,
        )


def draft(pk: int) -> PlanVersion:
    """Return a version that can be written; any other has no such page."""
    found: QuerySet[PlanVersion] = PlanVersion.objects.select_related("plan__program")
    return get_object_or_404(found, pk=pk, state=VersionState.DRAFT)


def _context(editor: Editor, then: str) -> dict[str, Any]:
    form = editor.form
    return {
        "editor": editor,
        "form": form,
        "version": editor.version,
        "program": editor.program,
        "families": _families(editor),
        "rate_fields": [form[name] for name in RATE_FIELDS if name in form.fields],
        "limit_fields": [form[name] for name in LIMIT_FIELDS if name in form.fields],
        "condition_fields": [form[name] for name in CONDITION_FIELDS if name in form.fields],
        "start_label": _start_label(editor),
        "flat_label": _flat_label(editor),
        "preview": preview.of(editor, then),
        "hints": preview.value_hints(editor),
        "has_limits": any(form[name].value() for name in LIMITS if name in form.fields),
        "models_open": editor.rule is None or then == "show" or "kind" in form.errors,
    }


def _families(editor: Editor) -> list[tuple[Any, list[dict[str, Any]]]]:
    """Return the models as the page groups them, each with its place in the list."""
    place = count()
    return [
        (
            title,
            [
                {
                    "kind": kind,
                    "index": next(place),
                    "label": short_label(kind),
                    "says": MODELS[kind].says,
                    "is_chosen": kind == editor.kind,
                }
                for kind in kinds
            ],
        )
        for title, kinds in FAMILIES
    ]


def _start_label(editor: Editor) -> str:
    if editor.kind == RateKind.ACCELERATOR:
        return _("From, % of the target")
    if editor.counts:
        return _("From, number")
    return _("From, %(currency)s") % {"currency": editor.program.currency}


def _flat_label(editor: Editor) -> str:
    text = _("Amount, %(currency)s")
    if "rate" not in editor.columns and editor.kind not in (RateKind.STAIRSTEP, RateKind.MILESTONE):
        text = _("Amount for each, %(currency)s")
    elif "rate" in editor.columns:
        text = _("And once, %(currency)s")
        if editor.kind == RateKind.PROSPECTIVE:
            text = _("And for each event, %(currency)s")
    return text % {"currency": editor.program.currency}
