"""The page on which somebody an applicant named says whether they know the applicant. It is opened by the link in our mail, shows no more
than that mail, and takes one answer."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache

from partners import references
from portal.forms_apply import ReferenceForm
from portal.views.answers import explain_refusal
from portal.views.draft import private
from prm.lib.errors import Refused


@method_decorator(never_cache, name="dispatch")
class Answer(View):
    """Ask, take the answer, and thank."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        return _page(request, token, ReferenceForm())

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        form = ReferenceForm(request.POST)
        if not form.is_valid():
            return _page(request, token, form, status=422)
        given = form.cleaned_data
        try:
            references.answer(token, answer=given["answer"], comment=given["comment"], at=timezone.now())
        except Refused as refusal:
            explain_refusal(form, refusal)
            return _page(request, token, form, status=409)
        return _page(request, token, ReferenceForm())


def _page(request: HttpRequest, token: str, form: ReferenceForm, *, status: int = 200) -> HttpResponse:
    reference = references.find(token, at=timezone.now())
    if reference is None:
        return private(render(request, "public/reference_expired.html", status=410))
    context = {
        "reference": reference,
        "application": reference.application,
        "program": reference.application.program,
        "form": form,
        "is_answered": bool(reference.answer),
    }
    return private(render(request, "public/reference.html", context, status=status))
