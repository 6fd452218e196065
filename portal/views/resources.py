"""Resources: what the program gives its partners to work with, by kind and language. A file leaves only to somebody of the program, as a
download."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from partners import resources as kept
from partners.choices import ResourceKind
from partners.models import ProgramResource
from portal.rooms import Room, enter, show
from portal.views.pages import Chip


@require_safe
@enter()
def resources(request: HttpRequest, room: Room) -> HttpResponse:
    """Show the resources of the program, narrowed to a kind and a language when asked."""
    kind = _known(request.GET.get("kind", ""), ResourceKind.values)
    language = _known(request.GET.get("language", ""), list(dict(settings.LANGUAGES)))
    rows = list(kept.shown(room.program, kind=kind, language=language))
    labels = dict(ResourceKind.choices)
    return show(
        request,
        room,
        "portal/resources/resources.html",
        nav="resources",
        groups=[(key, labels[key], list(group)) for key, group in groupby(rows, key=lambda row: row.kind)],
        kinds=_chips(room, "kind", kind, language, ResourceKind.choices),
        languages=_chips(room, "language", kind, language, settings.LANGUAGES),
    )


@require_safe
@enter()
def resource_file(request: HttpRequest, room: Room, public_id: str) -> HttpResponseBase:
    """Hand out the file of a resource of the program."""
    rows = ProgramResource.objects.filter(program=room.program, removed_at=None).exclude(file="")
    return kept.attachment(get_object_or_404(rows, public_id=public_id))


def _known(value: str, known: list[str]) -> str:
    return value if value in known else ""


def _chips(
    room: Room, name: str, kind: str, language: str, choices: Iterable[tuple[str, object]]
) -> list[Chip]:
    """Return one chip for each choice there is anything for; none where there is nothing to choose."""
    chosen = {"kind": kind, "language": language}
    here = set(kept.shown(room.program).values_list(name, flat=True)) - {""}
    if len(here) < 2 and not chosen[name]:
        return []
    every = [("", _("All"))] + [(key, str(label)) for key, label in choices if key in here]
    found = []
    for key, label in every:
        query = urlencode({each: value for each, value in {**chosen, name: key}.items() if value})
        address = reverse("portal:resources") + (f"?{query}" if query else "")
        found.append(Chip(label=label, href=address, current=chosen[name] == key))
    return found
