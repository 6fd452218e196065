"""The terms of a program for anybody: the version in force, every other published one, what differs between two, and each as PDF."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from partners import terms as terms_of
from partners import terms_archive
from partners.models import TermsVersion
from portal.views.public import shown
from portal.views.terms import attached
from prm import documents
from prm.lib.errors import Refused


@require_safe
def terms(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the terms in force, or an earlier or coming version by its number; against another one when asked."""
    program, at = shown(slug), timezone.now()
    versions = list(terms_of.published(program))
    current = terms_of.for_newcomers(program, at)
    version = _version(versions, request.GET.get("version", "")) or current
    if version is None:
        raise Http404
    against = _version(versions, request.GET.get("against", ""))
    before, after = _in_order(against, version) if against and against != version else (None, None)
    context = {
        "program": program,
        "version": version,
        "current": current,
        "coming": terms_of.coming(program, at, tier=current.tier_id if current else None),
        "is_coming": version.effective_at is not None and version.effective_at > at,
        "sections": terms_of.sections(version),
        "versions": versions,
        "before": before,
        "after": after,
        "difference": terms_of.compare(before, after) if before and after else None,
        "can_print": documents.is_likely(),
    }
    return render(request, "public/terms.html", context)


@require_safe
def pdf(request: HttpRequest, slug: str, number: int) -> HttpResponseBase:
    """Send a published version as PDF."""
    program = shown(slug)
    version = _version(list(terms_of.published(program).select_related("program__legal_entity")), str(number))
    if version is None:
        raise Http404
    try:
        content = terms_archive.version_pdf(version)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("public:terms", slug=slug)
    return attached(content, terms_archive.version_file_name(version))


def _in_order(one: TermsVersion, other: TermsVersion) -> tuple[TermsVersion, TermsVersion]:
    return (one, other) if one.number < other.number else (other, one)


def _version(versions: list[TermsVersion], number: str) -> TermsVersion | None:
    if not number:
        return None
    for version in versions:
        if str(version.number) == number:
            return version
    raise Http404
