"""One link: its address with sub-ids, as a QR code and with texts to share, what it leads to, and what opened it. Only what people opened is
counted as clicks; everything else is said apart."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from urllib.parse import urlencode

import segno
from django.conf import settings
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from payouts.explained.subject import link_url
from portal import roles
from portal.formats import active_locale, date_text
from portal.forms_links import SubIdsForm
from portal.rooms import Room, enter, own_or_404, show
from portal.status_links import link_works, until_text
from portal.views.link_rows import DAYS, link_row, marked
from portal.views.pages import Chip, Fact
from prm.lib import l10n
from prm.lib.addresses import absolute
from prm.lib.periods import local_day
from referrals.choices import ClickKind
from referrals.link_facts import UTM
from referrals.models import Click, Link
from referrals.own_visits import test_query
from referrals.share_kit import best_code, kit_of, shop_of

PIXELS = 10  # of a module: a code of 33 modules becomes an image of 410 by 410


@require_safe
@enter()
def link_page(request: HttpRequest, room: Room, public_id: str) -> HttpResponse:
    """Show one link, and its address with sub-ids when some are asked for."""
    link, there = _find(request, room, public_id)
    form = SubIdsForm(request.GET or None)
    chosen = form.chosen() if form.is_bound and form.is_valid() else {}
    url = link_url(link)
    response = show(
        request,
        there,
        "portal/links/link.html",
        nav="links",
        status=422 if form.errors else 200,
        link=link,
        row=link_row(link, at=there.at),
        facts=_facts(link, there),
        works=link_works(link, at=there.at),
        form=form,
        with_subs=f"{url}?{urlencode(chosen)}" if chosen else "",
        others=_others(link, at=there.at),
        may_change=there.may(roles.MANAGE_LINKS),
        test_url=f"{url}{test_query(link.slug, at=there.at)}",
    )
    return marked(response, there)


@require_safe
@enter()
def share_kit(request: HttpRequest, room: Room, public_id: str) -> HttpResponse:
    """Show what can be sent and posted about a link, in a language of the reader's choice."""
    link, there = _find(request, room, public_id)
    known = dict(settings.LANGUAGES)
    language = request.GET.get("language", "")
    language = language if language in known else (translation.get_language() or "en").split("-")[0]
    code = best_code(link.membership, at=there.at)
    with translation.override(language):
        kit = kit_of(link, url=link_url(link), shop=shop_of(link), code=code)
    return show(
        request,
        there,
        "portal/links/share.html",
        nav="links",
        link=link,
        kit=kit,
        kit_language=language,
        code=code,
        works=link_works(link, at=there.at),
        landing=absolute(reverse("public:landing", args=[link.slug])),
        languages=[
            Chip(str(name), f"?language={key}", current=key == language) for key, name in known.items()
        ],
    )


@require_safe
@enter()
def link_qr(request: HttpRequest, room: Room, public_id: str, kind: str = "svg") -> HttpResponse:
    """Draw a link's QR code as SVG or PNG."""
    link, _there = _find(request, room, public_id)
    drawn, content_type = (
        (qr_png(link_url(link)), "image/png") if kind == "png" else (qr_svg(link_url(link)), "image/svg+xml")
    )
    response = HttpResponse(drawn, content_type=content_type)
    response.headers["Content-Disposition"] = f'inline; filename="qr-{link.slug}.{kind}"'
    return response


def qr_svg(text: str) -> bytes:
    """Return a QR code on a white ground, with the quiet zone scanners need."""
    target = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        target, kind="svg", scale=8, border=4, dark="#000", light="#fff", svgns=True
    )
    return target.getvalue()


def qr_png(text: str) -> bytes:
    """Return the same as an image of pixels, for what cannot read SVG."""
    target = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        target, kind="png", scale=PIXELS, border=4, dark="#000", light="#fff"
    )
    return target.getvalue()


def _find(request: HttpRequest, room: Room, public_id: str) -> tuple[Link, Room]:
    rows = Link.objects.select_related("membership__program__tracking", "membership__partner", "replacement")
    return own_or_404(request, room, rows, public_id)


def _facts(link: Link, room: Room) -> list[Fact]:
    facts = [Fact(_("Leads to"), link.destination_url)]
    if link.campaign:
        facts.append(Fact(_("Campaign"), link.campaign))
    facts += [Fact(name, link.utm[name]) for name in UTM if link.utm.get(name)]
    facts.append(Fact(_("Made on"), date_text(local_day(link.created_at, room.zone))))
    facts.append(Fact(_("Works until"), until_text(link, room.zone) or _("no end")))
    return facts


def _others(link: Link, *, at: datetime) -> list[Fact]:
    """Return what opened the link and is counted apart, by what it was."""
    since = at - timedelta(days=DAYS)
    found = Click.objects.filter(link=link, clicked_at__gte=since, clicked_at__lt=at).exclude(
        kind=ClickKind.PERSON
    )
    counts = dict(found.values_list("kind").annotate(Count("pk")).order_by())
    return [
        Fact(str(ClickKind(kind).label), _times(counts[kind])) for kind in ClickKind.values if kind in counts
    ]


def _times(count: int) -> str:
    number = l10n.number_text(count, active_locale())
    return ngettext("%(n)s time", "%(n)s times", count) % {"n": number}
