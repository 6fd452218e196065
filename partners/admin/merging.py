"""Join two partners that are one, in the back office: both side by side, which one goes on, everything that will happen in words, and only
then the button."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from partners import duplicates, merging, profiles
from partners.models import Member, Membership, Partner
from prm.accounts import policy
from prm.accounts.back_office import BackOfficeAdmin, attempt, locale, panels_of, person, require, row_url
from prm.accounts.models import User
from prm.lib import l10n
from prm.lib.errors import Refused

if TYPE_CHECKING:
    Desk = BackOfficeAdmin
else:
    Desk = object

COMPARED = (
    "name",
    "legal_name",
    "legal_form",
    "country",
    "street",
    "postcode",
    "town",
    "vat_number",
    "website",
    "email",
    "phone",
    "language",
)
_FOUND = 10


class FindForm(forms.Form):
    """Which partner is the same."""

    q = forms.CharField(
        label=gettext_lazy("Name, website or id of the other one"),
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )


class ConfirmForm(forms.Form):
    """The second look."""

    seen = forms.CharField(widget=forms.HiddenInput, max_length=64)
    compared = forms.BooleanField(
        label=gettext_lazy("I have compared both, and they are one partner"),
        error_messages={"required": gettext_lazy("Tick the box when you have compared both.")},
    )


class MergePages(Desk):
    """The pages that join two partners, beside the table of partners."""

    def merge_urls(self) -> list[URLPattern]:
        """Return the addresses of both pages."""
        compare = self.admin_site.admin_view(require_http_methods(["GET", "HEAD"])(self.compare))
        join = self.admin_site.admin_view(require_http_methods(["GET", "HEAD", "POST"])(self.join))
        return [
            path("<int:pk>/same/", compare, name="partners_partner_compare"),
            path("<int:pk>/same/<int:into>/", join, name="partners_partner_merge"),
        ]

    def compare(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Look for the other row of a partner, and show both side by side."""
        require(request, "merge_partners")
        partner = get_object_or_404(Partner, pk=pk, merged_into=None)
        other = _other(request, partner)
        form = FindForm(request.GET if "q" in request.GET else None)
        found = _named(form.cleaned_data["q"], partner) if form.is_bound and form.is_valid() else []
        return self.page(
            request,
            "admin/partners/merge/compare.html",
            title=_("The same as %(partner)s") % {"partner": partner.name},
            parent=partner.name,
            parent_url=row_url(partner),
            partner=partner,
            other=other,
            rows=_compared(partner, other, by=person(request)) if other else [],
            form=form,
            found=found,
            candidates=duplicates.candidates(partner),
        )

    def join(self, request: HttpRequest, pk: int, into: int) -> HttpResponse:
        """Say everything that will happen, then do it."""
        require(request, "merge_partners")
        duplicate = get_object_or_404(Partner, pk=pk)
        goes_on = get_object_or_404(Partner, pk=into)
        by, at = person(request), timezone.now()
        try:
            said, reasons = merging.look(duplicate, into=goes_on, by=by, at=at)
        except Refused as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(row_url(goes_on))
        form = ConfirmForm(request.POST or None, initial={"seen": merging.fingerprint(said)})
        if request.method == "POST" and form.is_valid():
            seen = form.cleaned_data["seen"]
            done = attempt(
                request,
                lambda: merging.merge(duplicate, into=goes_on, by=by, at=at, seen=seen),
                form=form,
            )
            if done is not None:
                names = {"duplicate": duplicate.name, "into": done.name}
                messages.success(request, _("%(duplicate)s and %(into)s are one partner now.") % names)
                return HttpResponseRedirect(row_url(done))
            form = _shown_again(form, said)
        return self._join_page(request, duplicate, goes_on, form, said, reasons)

    def _join_page(
        self,
        request: HttpRequest,
        duplicate: Partner,
        goes_on: Partner,
        form: ConfirmForm,
        said: list[str],
        reasons: list[str],
    ) -> HttpResponse:
        back = reverse("admin:partners_partner_compare", args=[goes_on.pk])
        return self.page(
            request,
            "admin/partners/merge/join.html",
            title=_("Join %(duplicate)s with %(into)s") % {"duplicate": duplicate.name, "into": goes_on.name},
            status=422 if form.errors else 200,
            parent=goes_on.name,
            parent_url=row_url(goes_on),
            back_url=f"{back}?other={duplicate.pk}",
            form=form,
            said=said,
            reasons=reasons,
            duplicate=duplicate,
            goes_on=goes_on,
        )


def may_merge(user: User) -> bool:
    """Say whether to offer the pages."""
    return policy.may(user, "merge_partners")


def _shown_again(form: ConfirmForm, said: list[str]) -> ConfirmForm:
    """Return the form with what is said now, so that the next press is about that."""
    form.data = {**form.data.dict(), "seen": merging.fingerprint(said)}  # type: ignore[attr-defined]
    return form


def _other(request: HttpRequest, partner: Partner) -> Partner | None:
    wanted = request.GET.get("other", "")
    if not wanted.isdecimal() or len(wanted) > 18:
        return None
    return Partner.objects.filter(pk=int(wanted), merged_into=None).exclude(pk=partner.pk).first()


def _named(text: str, partner: Partner) -> list[Partner]:
    rows = Partner.objects.filter(merged_into=None, erased_at=None).exclude(pk=partner.pk)
    by_name = (
        rows.filter(name__icontains=text) | rows.filter(public_id=text) | rows.filter(website__icontains=text)
    )
    return list(by_name.order_by("name", "pk")[:_FOUND])


def _compared(one: Partner, two: Partner, *, by: User) -> list[dict[str, Any]]:
    rows = [_row(profiles.label_of(name), _text(one, name), _text(two, name)) for name in COMPARED]
    rows.append(_row(_("Programs"), _programs(one), _programs(two)))
    rows.append(_row(_("People"), _people(one), _people(two)))
    rows.append(_row(_("Partner since"), _day(one.created_at), _day(two.created_at)))
    known = [
        {
            panel.title: panel.context
            for panel in panels_of("partner_compared", each, by=by, at=timezone.now())
        }
        for each in (one, two)
    ]
    for title in dict.fromkeys([*known[0], *known[1]]):
        texts = [str(here.get(title, {}).get("text", "–")) for here in known]
        rows.append(_row(title, *texts))
    return rows


def _row(label: Any, one: str, two: str) -> dict[str, Any]:
    return {"label": label, "one": one or "–", "two": two or "–", "same": bool(one) and one == two}


def _text(partner: Partner, name: str) -> str:
    return profiles.text_of(name, getattr(partner, name))


def _programs(partner: Partner) -> str:
    rows = Membership.objects.filter(partner=partner).select_related("program").order_by("joined_at", "pk")
    return ", ".join(f"{each.program.name} ({each.get_state_display()})" for each in rows)


def _people(partner: Partner) -> str:
    rows = Member.objects.current().filter(partner=partner).select_related("user").order_by("joined_at", "pk")
    return ", ".join(f"{each.user.get_full_name()} ({each.get_role_display()})" for each in rows)


def _day(at: datetime) -> str:
    return l10n.date_text(at.date(), locale())
