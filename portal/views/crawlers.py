"""What search engines are told: which rooms are not for them, and which pages there are. Only what a stranger may read is named."""

from __future__ import annotations

from xml.etree import ElementTree

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from partners.choices import TermsState
from partners.mails import absolute
from partners.models import TermsVersion
from tiers.models import Program

_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
# Answers to links in mails, tracked links, and rooms behind the door.
_CLOSED = (
    "/accounts/",
    "/admin/",
    "/api/",
    "/application/",
    "/invitation/",
    "/invited/",
    "/portal/",
    "/r/",
    "/v/",
)


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """Say where robots need not go, and where the list of pages is."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in _CLOSED)]
    lines += ["", f"Sitemap: {absolute(reverse('public:sitemap'))}", ""]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")


@require_safe
def sitemap(request: HttpRequest) -> HttpResponse:
    """List the pages of public programs and their terms."""
    listed = list(Program.objects.listed())
    in_force = TermsVersion.objects.filter(program__in=listed, effective_at__lte=timezone.now())
    with_terms = set(in_force.exclude(state=TermsState.DRAFT).values_list("program_id", flat=True))
    paths = [reverse("public:programs")]
    for program in listed:
        paths.append(reverse("public:program", args=[program.slug]))
        if program.pk in with_terms:
            paths.append(reverse("public:terms", args=[program.slug]))
    root = ElementTree.Element("urlset", {"xmlns": _NAMESPACE})
    for path in paths:
        ElementTree.SubElement(ElementTree.SubElement(root, "url"), "loc").text = absolute(path)
    body = ElementTree.tostring(root, encoding="unicode")
    return HttpResponse(
        f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n', content_type="application/xml; charset=utf-8"
    )
