"""Inlets in the back office: open one, copy its secret the one time it is shown, renew or close it, and the lines to put into a shop."""

from __future__ import annotations

from functools import partial
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from prm.accounts.back_office import (
    BackOfficeAdmin,
    Fact,
    attempt,
    person,
    require,
    row_url,
    when_column,
)
from prm.lib import l10n
from prm.lib.addresses import absolute
from referrals import inlet_signing, inlets
from referrals.choices import InletKind
from referrals.inlets import CAPABILITY, Opened
from referrals.models import Inlet
from tiers.choices import EventKind

EXAMPLE = {"event_id": "order-10023", "kind": "sale", "amount": "59.90", "currency": "EUR"}
CLICK = "01JD8Z0M6V4R2K8T9Q3W5X7Y1A"


class InletForm(forms.Form):
    """What a new inlet may tell."""

    use_required_attribute = False
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=80,
        help_text=gettext_lazy("Where it is used, such as Checkout."),
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        choices=InletKind.choices,
        initial=InletKind.POSTBACK,
        widget=forms.RadioSelect,
        help_text=gettext_lazy(
            "A pixel has no secret and is believed only about clicks we know: take it where nothing else can be done."
        ),
    )
    source = forms.CharField(
        label=gettext_lazy("Source"),
        max_length=40,
        help_text=gettext_lazy(
            "The shop the event ids belong to. The same id of the same source counts once."
        ),
    )
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("Events it may tell"),
        choices=EventKind.choices,
        initial=[EventKind.SALE],
        widget=forms.CheckboxSelectMultiple,
    )
    needs_time = forms.BooleanField(
        label=gettext_lazy("Refuse calls signed more than five minutes ago"),
        required=False,
        help_text=gettext_lazy("Each call must then carry the parameter ts. Only for signed postbacks."),
    )


@admin.register(Inlet)
class InletAdmin(BackOfficeAdmin):
    """Doors for conversions, the newest first."""

    section = gettext_lazy("Inlets")
    sees = adds = CAPABILITY
    list_display = (
        "name",
        "kind",
        "source",
        when_column("last_used_at", gettext_lazy("last used")),
        when_column("closed_at", gettext_lazy("closed")),
    )
    list_filter = ("kind",)
    search_fields = ("name", "source", "public_id")
    ordering = ("-created_at", "-pk")

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that renew and close."""
        by_hand, wrap = require_http_methods(["GET", "POST"]), self.admin_site.admin_view
        moves = (("renew", self.renew), ("close", self.close))
        own = [
            path(f"<int:pk>/{name}/", wrap(by_hand(move)), name=f"referrals_inlet_{name}")
            for name, move in moves
        ]
        return own + super().get_urls()

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse | None:
        """Show one inlet, or ask for a new one."""
        require(request, CAPABILITY)
        if object_id is None:
            return self._add(request)
        if not object_id.isdigit():
            return None
        return self._one(request, get_object_or_404(Inlet, pk=int(object_id)))

    def _add(self, request: HttpRequest) -> HttpResponse:
        form = InletForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            create = partial(inlets.create, **form.cleaned_data, by=person(request), at=timezone.now())
            opened = attempt(request, create, form=form)
            if opened is not None:
                return self._shown_once(request, opened)
        return self.page(
            request,
            "admin/referrals/inlet/add.html",
            title=_("New inlet"),
            status=422 if form.errors else 200,
            errors=bool(form.errors),
            form=form,
        )

    def _shown_once(self, request: HttpRequest, opened: Opened) -> HttpResponse:
        """Lead to a pixel, which hides nothing; show a secret in this answer alone: it goes through no cookie, session or log."""
        if not opened.secret:
            messages.success(request, _("The pixel is ready. Copy its lines."))
            return HttpResponseRedirect(row_url(opened.inlet))
        answer = self.page(
            request,
            "admin/referrals/inlet/secret.html",
            title=_("The secret, shown this once"),
            inlet=opened.inlet,
            secret=opened.secret,
            address=_address(opened.inlet),
            inlet_url=row_url(opened.inlet),
        )
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def _one(self, request: HttpRequest, inlet: Inlet) -> HttpResponse:
        is_open = inlet.closed_at is None
        return self.page(
            request,
            "admin/referrals/inlet/inlet.html",
            title=inlet.name,
            inlet=inlet,
            address=_address(inlet),
            facts=_facts(inlet),
            examples=_examples(inlet) if is_open else [],
            renew_url=row_url(inlet, "renew") if is_open and inlet.kind == InletKind.POSTBACK else "",
            close_url=row_url(inlet, "close") if is_open else "",
        )

    def renew(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Give an inlet a new secret, after saying what that does."""
        inlet = self._of(request, pk)
        if request.method == "POST":
            renew = partial(inlets.rotate, inlet, by=person(request), at=timezone.now())
            opened = attempt(request, renew)
            return self._shown_once(request, opened) if opened is not None else _to(inlet)
        said = [
            _("You see a new secret, this once."),
            _("Calls signed with the one before are taken for seven more days."),
        ]
        if inlet.previous_ends_at is not None and inlet.previous_ends_at > timezone.now():
            said.append(_("A secret from before that, which still holds, ends at once."))
        return self._confirm(request, inlet, _("Renew the secret"), said)

    def close(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Close an inlet, after saying what that does."""
        inlet = self._of(request, pk)
        if request.method == "POST":
            if attempt(request, partial(inlets.close, inlet, by=person(request), at=timezone.now())):
                messages.success(request, _("The inlet is closed."))
            return _to(inlet)
        said = [
            _("Calls to its address are refused from now on."),
            _("What it told so far stays in the books."),
        ]
        return self._confirm(request, inlet, _("Close the inlet"), said)

    def _of(self, request: HttpRequest, pk: int) -> Inlet:
        require(request, CAPABILITY)
        return get_object_or_404(Inlet, pk=pk, closed_at=None)

    def _confirm(self, request: HttpRequest, inlet: Inlet, verb: str, said: list[str]) -> HttpResponse:
        return self.page(
            request,
            "admin/confirm.html",
            title=verb,
            verb=verb,
            consequences=said,
            parent=inlet.name,
            parent_url=row_url(inlet),
        )


def _to(inlet: Inlet) -> HttpResponse:
    return HttpResponseRedirect(row_url(inlet))


def _address(inlet: Inlet) -> str:
    name = "inlet" if inlet.kind == InletKind.POSTBACK else "pixel"
    return absolute(reverse(name, args=[inlet.public_id]))


def _facts(inlet: Inlet) -> list[Fact]:
    names = dict(EventKind.choices)
    zone, locale = timezone.get_current_timezone(), l10n.active_locale()
    facts = [
        Fact(_("Kind"), inlet.get_kind_display()),
        Fact(_("Source"), inlet.source),
        Fact(_("Events it may tell"), l10n.list_text([str(names[kind]) for kind in inlet.kinds], locale)),
        Fact(_("Opened by"), inlet.created_by.get_full_name()),
    ]
    told = (
        (_("Last used"), inlet.last_used_at),
        (_("The secret before holds until"), inlet.previous_ends_at),
        (_("Closed"), inlet.closed_at),
    )
    return [
        *facts,
        *(Fact(label, l10n.datetime_text(at, zone, locale)) for label, at in told if at is not None),
    ]


def _examples(inlet: Inlet) -> list[dict[str, Any]]:
    """Return what can be copied: a call with its signature for servers, lines of a page for browsers."""
    kind = EXAMPLE["kind"] if EXAMPLE["kind"] in inlet.kinds else inlet.kinds[0]
    values = {**EXAMPLE, "kind": kind, "click_id": CLICK}
    address, query = _address(inlet), inlet_signing.canonical(values)
    if inlet.kind == InletKind.PIXEL:
        script = absolute(f"{settings.STATIC_URL}prm.min.js")
        told = "".join(f' data-convert-{name.replace("_", "-")}="{value}"' for name, value in EXAMPLE.items())
        return [
            {
                "title": _("On every page"),
                "text": f'<script src="{script}" data-consent="required" defer></script>',
            },
            {
                "title": _("On the page that says thank you"),
                "text": f'<script src="{script}" data-inlet="{address}"{told} defer></script>',
            },
            {"title": _("Without our snippet"), "text": f'<img src="{address}?{query}" alt="">'},
        ]
    python = (
        "import hashlib, hmac\n"
        "from urllib.parse import quote\n\n"
        f"values = {values!r}\n"
        "query = \"&\".join(f\"{quote(n, safe='')}={quote(v, safe='')}\" for n, v in sorted(values.items()))\n"
        "sig = hmac.new(SECRET.encode(), query.encode(), hashlib.sha256).hexdigest()\n"
        f'url = f"{address}?{{query}}&sig={{sig}}"'
    )
    php = (
        "$values = " + "[" + ", ".join(f"'{n}' => '{v}'" for n, v in sorted(values.items())) + "];\n"
        "ksort($values, SORT_STRING);\n"
        "$query = http_build_query($values, '', '&', PHP_QUERY_RFC3986);\n"
        "$sig = hash_hmac('sha256', $query, $secret);\n"
        f"$url = '{address}?' . $query . '&sig=' . $sig;"
    )
    return [
        {"title": _("What is signed"), "text": query},
        {"title": "Python", "text": python},
        {"title": "PHP", "text": php},
    ]
