"""Entering an application for somebody who wrote, called or stood at our table. The questions are those of the program's own form; what
follows is said beside them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from partners import entering, uploads
from partners.application_forms import asking, publishing
from partners.application_forms.asking import StepForm
from partners.application_forms.definition import Definition, read
from partners.application_forms.validators import one_line, printable
from partners.applications import decide_on
from partners.models import Application
from partners.uploads import Upload
from prm.accounts.back_office import (
    BackOfficeAdmin,
    add_pages,
    attempt,
    list_url,
    locale,
    person,
    require,
    row_url,
)
from prm.lib import l10n
from tiers.choices import PartnershipType
from tiers.models import Program

# Named so that no question of a program's own form can have the same name.
SOURCE, LANGUAGE = "entered-source", "entered-language"


class EnterPages:
    """The page, below the table of programs, and the one that chooses the program."""

    def __init__(self, desk: BackOfficeAdmin) -> None:
        self.desk = desk

    def urls(self) -> list[URLPattern]:
        """Return the addresses of the pages."""
        choose = self.desk.admin_site.admin_view(require_http_methods(["GET", "HEAD"])(self.choose))
        enter = self.desk.admin_site.admin_view(require_http_methods(["GET", "HEAD", "POST"])(self.enter))
        return [
            path("enter/", choose, name="partners_application_choose"),
            path("<int:pk>/enter/", enter, name="partners_application_enter"),
        ]

    def choose(self, request: HttpRequest) -> HttpResponse:
        """List the programs an application can be entered for."""
        require(request, "decide_applications")
        return self.desk.page(
            request,
            "admin/partners/application/choose.html",
            title=_("New application"),
            programs=Program.objects.order_by("name", "pk"),
            **_section(),
        )

    def enter(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask everything on one page, and store it."""
        require(request, "decide_applications")
        program, at = get_object_or_404(Program, pk=pk), timezone.now()
        definition = read(publishing.in_use(program, at=at).definition)
        kind = request.POST.get("type") or request.GET.get("type", "")
        if kind not in definition.partnership_types:
            kind = definition.partnership_types[0]
        form = _form(definition, kind, request)
        if request.method == "POST":
            given = uploads.looked_at(form, request.FILES)
            entered = self._enter(request, program, kind, form, given, at=at) if form.is_valid() else None
            if entered is not None:
                said = _("%(name)s is entered and waits for a decision. The applicant gets an e-mail.")
                messages.success(request, said % {"name": entered})
                return HttpResponseRedirect(row_url(entered))
        return self.desk.page(
            request,
            "admin/partners/application/enter.html",
            title=_("New application: %(program)s") % {"program": program},
            status=422 if form.errors else 200,
            program=program,
            form=form,
            errors=bool(form.errors),
            kind=kind,
            kinds=_kinds(definition),
            consequences=_consequences(program, at),
            **_section(),
        )

    def _enter(
        self,
        request: HttpRequest,
        program: Program,
        kind: str,
        form: StepForm,
        given: dict[str, list[Upload]],
        *,
        at: datetime,
    ) -> Application | None:
        answers = dict(form.cleaned_data)
        source, language = answers.pop(SOURCE), answers.pop(LANGUAGE)
        return attempt(
            request,
            lambda: entering.enter(
                program,
                partnership_type=kind,
                cleaned=answers,
                files=given,
                source=source,
                language=language,
                by=person(request),
                at=at,
            ),
            form=form,
        )


def _form(definition: Definition, kind: str, request: HttpRequest) -> StepForm:
    is_sent = request.method == "POST"
    form = asking.form_for(
        definition,
        step="",
        partnership_type=kind,
        language=(get_language() or "en").split("-")[0],
        data=request.POST if is_sent else None,
        files=request.FILES if is_sent else None,
        initial={LANGUAGE: "en"},
    )
    form.fields[SOURCE] = forms.CharField(
        label=gettext_lazy("How did it reach you?"),
        max_length=80,
        validators=[printable, one_line],
        help_text=gettext_lazy("For example: by phone, at the fair in March. The applicant does not see it."),
        error_messages={"required": gettext_lazy("Say how the application reached you.")},
    )
    form.fields[LANGUAGE] = forms.ChoiceField(
        label=gettext_lazy("Language of the mails to the applicant"), choices=settings.LANGUAGES
    )
    return form


def _kinds(definition: Definition) -> list[tuple[str, str]]:
    labels = {str(value): str(label) for value, label in PartnershipType.choices}
    kinds = definition.partnership_types
    return [(kind, labels.get(kind, kind)) for kind in kinds] if len(kinds) > 1 else []


def _consequences(program: Program, at: datetime) -> list[str]:
    promised = l10n.date_text(decide_on(program, at), locale())
    days = ngettext("%(days)s working day", "%(days)s working days", program.decision_days)
    days %= {"days": program.decision_days}
    promise = _("The applicant gets an e-mail that promises a decision within %(days)s, by %(date)s.")
    return [
        promise % {"days": days, "date": promised},
        _("It counts at once: nobody has to confirm the address."),
        _(
            "The terms are not accepted. If you approve, the partner is asked to accept them at the first sign-in."
        ),
        _("Your name stands in the record as who entered it."),
    ]


def _section() -> dict[str, Any]:
    return {"section_name": _("Applications"), "section_url": list_url(Application)}


add_pages("program", lambda desk: EnterPages(desk).urls())
