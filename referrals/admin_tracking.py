"""The page on which a program's links are set up, and the panel that leads from a program to it and to how credit is given."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    Fact,
    Panel,
    add_pages,
    add_panels,
    attempt,
    locale,
    person,
    require,
    row_url,
)
from prm.accounts.models import User
from referrals import attribution_versions, tracking_settings
from referrals.attribution_sentences import sentences
from referrals.models import AttributionVersion
from referrals.tracking_settings import Tracking
from tiers.models import Program


class TrackingForm(forms.Form):
    """How a program's links behave, and what its partners see."""

    use_required_attribute = False
    link_host = forms.ChoiceField(
        label=gettext_lazy("Domain of links"),
        required=False,
        help_text=gettext_lazy(
            "Domains are given to the installation in PRM_LINK_HOSTS. Links at the old domain go on working."
        ),
    )
    sets_cookie = forms.BooleanField(
        label=gettext_lazy("Remember visitors in a cookie"),
        required=False,
        help_text=gettext_lazy(
            "Off: credit rests on the click id in the address, on codes, leads and deals."
        ),
    )
    counts_views = forms.BooleanField(
        label=gettext_lazy("Count views of banners"),
        required=False,
        help_text=gettext_lazy("Whether a view earns is said by how credit is given."),
    )
    forbids_paid_search = forms.BooleanField(
        label=gettext_lazy("Paid search is forbidden"),
        required=False,
        help_text=gettext_lazy("Clicks that came from paid search are shown among the risks."),
    )
    shows_customers = forms.BooleanField(
        label=gettext_lazy("Partners see who their customers are"),
        required=False,
        help_text=gettext_lazy("On: the customer's whole id in your shop. Off: its last three characters."),
    )

    def __init__(self, data: Any = None, *, tracking: Tracking) -> None:
        super().__init__(data, initial={name: getattr(tracking, name) for name in Tracking.__slots__})
        hosts = dict.fromkeys([*tracking_settings.hosts(), tracking.link_host])
        choices = [("", _("This installation's own address")), *((host, host) for host in hosts if host)]
        field = self.fields["link_host"]
        if isinstance(field, forms.ChoiceField):
            field.choices = choices

    def wanted(self) -> Tracking:
        """Return what was chosen."""
        return Tracking(**{name: self.cleaned_data[name] for name in Tracking.__slots__})


def pages(desk: BackOfficeAdmin) -> list[URLPattern]:
    """Return the address of the page, below a program."""

    def tracking(request: HttpRequest, pk: int) -> HttpResponse:
        return tracking_page(desk, request, pk)

    view = desk.admin_site.admin_view(require_http_methods(["GET", "POST"])(tracking))
    return [path("<int:pk>/tracking/", view, name="tiers_program_tracking")]


def tracking_page(desk: BackOfficeAdmin, request: HttpRequest, pk: int) -> HttpResponse:
    """Set how a program's links behave, and what its partners see of customers."""
    require(request, tracking_settings.CAPABILITY)
    program = get_object_or_404(Program, pk=pk)
    posted = request.POST if request.method == "POST" else None
    form = TrackingForm(posted, tracking=tracking_settings.of(program))
    if form.is_valid():
        by, at = person(request), timezone.now()
        done = attempt(
            request, lambda: tracking_settings.change(program, form.wanted(), by=by, at=at), form=form
        )
        if done is not None:
            messages.success(request, _("The tracking settings are saved."))
            return HttpResponseRedirect(row_url(program))
    return desk.page(
        request,
        "admin/referrals/tracking.html",
        title=_("Tracking settings of %(program)s") % {"program": program.name},
        status=422 if form.errors else 200,
        errors=bool(form.errors),
        parent=program.name,
        parent_url=row_url(program),
        form=form,
    )


def panels(program: Program, by: User, at: datetime) -> Iterator[Panel]:
    """Say on a program's page how credit is given and how its links behave."""
    if not policy.may(by, "see_partners"):
        return
    version = attribution_versions.in_force(program, at=at)
    settings = attribution_versions.settings_of(version, program)
    context: dict[str, Any] = {
        "program": program,
        "version": version,
        "sentences": sentences(settings, currency=program.currency, locale=locale()),
        "coming": attribution_versions.coming(program, at=at),
        "draft": AttributionVersion.objects.filter(program=program, state="draft").first(),
        "may_edit": policy.may(by, attribution_versions.CAPABILITY),
    }
    yield Panel(_("How credit is given"), "admin/referrals/attribution/_panel.html", context)
    facts: dict[str, Any] = {"facts": _facts(tracking_settings.of(program))}
    if policy.may(by, tracking_settings.CAPABILITY):
        facts["url"] = reverse("admin:tiers_program_tracking", args=[program.pk])
    yield Panel(_("Tracking"), "admin/referrals/_tracking.html", facts)


def _facts(tracking: Tracking) -> list[Fact]:
    host = tracking.link_host or _("This installation's own address")
    told = {
        _("Visitors are remembered in a cookie"): tracking.sets_cookie,
        _("Views of banners are counted"): tracking.counts_views,
        _("Paid search is forbidden"): tracking.forbids_paid_search,
        _("Partners see who their customers are"): tracking.shows_customers,
    }
    answers = [Fact(label, _("Yes") if value else _("No")) for label, value in told.items()]
    return [Fact(_("Domain of links"), host), *answers]


add_pages("program", pages)
add_panels("program", panels)
