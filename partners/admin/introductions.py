"""Introductions of partners to each other in the back office, and beside each partner what it gave and got by introducing people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from partners import introductions
from partners.admin.applications import history_of
from partners.admin.forms_outreach import MeetForm
from partners.choices import IntroductionState
from partners.models import Introduction, Partner
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    Fact,
    Panel,
    add_panels,
    attempt,
    link_to,
    locale,
    person,
    require,
    row_url,
    state_column,
    when_column,
)
from prm.accounts.models import User
from prm.lib import l10n

CAPABILITY = "manage_prospects"


@admin.register(Introduction)
class IntroductionAdmin(BackOfficeAdmin):
    """Introductions, the newest first."""

    section = gettext_lazy("Introductions")
    sees = CAPABILITY
    change_list_template = "admin/partners/introduction/change_list.html"
    list_display = (
        "pair",
        state_column("introduction", gettext_lazy("state")),
        "proposed_by",
        when_column("proposed_at", gettext_lazy("proposed")),
        when_column("closed_at", gettext_lazy("closed")),
    )
    list_filter = ("state", "proposed_at")
    list_select_related = ("first", "second", "proposed_by")
    search_fields = ("first__name", "second__name", "public_id")
    search_help_text = gettext_lazy("Partner or id")
    ordering = ("-proposed_at", "-pk")

    def get_urls(self) -> list[URLPattern]:
        """Add the page that proposes, and the way to take one back."""
        wrap = self.admin_site.admin_view
        both = require_http_methods(["GET", "POST"])
        return [
            path("propose/", wrap(both(self.propose)), name="partners_introduction_propose"),
            path(
                "<int:pk>/withdraw/", wrap(require_POST(self.withdraw)), name="partners_introduction_withdraw"
            ),
            *super().get_urls(),
        ]

    @admin.display(description=gettext_lazy("partners"))
    def pair(self, introduction: Introduction) -> str:
        """Return the two names."""
        return _pair(introduction)

    def propose(self, request: HttpRequest) -> HttpResponse:
        """Ask two partners whether they want to meet."""
        require(request, CAPABILITY)
        form = MeetForm(request.POST or None, initial={"first": request.GET.get("first")})
        if request.method == "POST" and form.is_valid():
            given, by, at = dict(form.cleaned_data), person(request), timezone.now()
            made = attempt(request, lambda: introductions.propose(**given, by=by, at=at), form=form)
            if made is not None:
                messages.success(request, _("Both are asked."))
                return HttpResponseRedirect(row_url(made))
        return self.page(
            request,
            "admin/partners/introduction/propose.html",
            title=_("Propose an introduction"),
            status=422 if form.errors else 200,
            form=form,
            back_url=reverse("admin:partners_introduction_changelist"),
            consequences=[
                _("The owners of both teams get a mail with the other's name and your reason."),
                _(
                    "Names and addresses of people are mailed to both when both have said yes, and not before."
                ),
                _("A no of either side closes it."),
            ],
        )

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse | None:
        """Show one introduction and who has answered."""
        if object_id is None:
            return None
        require(request, self.sees)
        rows = Introduction.objects.select_related("first", "second", "proposed_by")
        found = get_object_or_404(rows, pk=object_id)
        return self.page(
            request,
            "admin/partners/introduction/introduction.html",
            title=_pair(found),
            introduction=found,
            is_open=found.state == IntroductionState.PROPOSED,
            facts=[
                Fact(link_to(found.first, found.first.name), _answered(found.first_agreed_at)),
                Fact(link_to(found.second, found.second.name), _answered(found.second_agreed_at)),
                Fact(_("Proposed by"), found.proposed_by.get_full_name()),
                Fact(_("Proposed on"), l10n.date_text(found.proposed_at.date(), locale())),
            ],
            history=history_of(found)[::-1],
        )

    def withdraw(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take one back that waits for answers."""
        require(request, CAPABILITY)
        found, by, at = get_object_or_404(Introduction, pk=pk), person(request), timezone.now()
        if attempt(request, lambda: introductions.withdraw(found, by=by, at=at)) is not None:
            messages.success(request, _("The introduction is withdrawn. Nobody is told."))
        return HttpResponseRedirect(row_url(found))


def _pair(introduction: Introduction) -> str:
    names = {"first": introduction.first.name, "second": introduction.second.name}
    return _("%(first)s and %(second)s") % names


def _answered(at: datetime | None) -> str:
    return _("Has not said yes") if at is None else _("Said yes")


def given_and_got(partner: Partner, by: User, at: datetime) -> Iterator[Panel]:
    """Show on a partner's page what it and we have done for each other by introducing people."""
    if not policy.may(by, CAPABILITY):
        return
    balance = introductions.balance(partner)
    yield Panel(
        title=_("Introductions given and received"),
        template="admin/partners/introduction/panel.html",
        context={
            "facts": [
                Fact(_("People it introduced to us"), str(balance.brought)),
                Fact(_("Of these, joined"), str(balance.brought_joined)),
                Fact(_("Partners we introduced it to"), str(balance.met)),
                Fact(_("Introductions that wait for answers"), str(balance.waiting)),
            ],
            "propose_url": f"{reverse('admin:partners_introduction_propose')}?first={partner.pk}",
        },
    )


add_panels("partner", given_and_got)
