"""Links in the back office: staff make, change, replace and switch them, for one partner or for many at once. What a link brought stays
whatever is changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_safe

from partners.choices import MembershipState
from partners.models import Membership
from prm.accounts import policy
from prm.accounts.back_office import (
    Fact,
    attempt,
    link_to,
    list_url,
    locale,
    person,
    require,
    row_url,
    when_column,
)
from prm.lib import l10n
from referrals import link_lists, links, own_visits
from referrals.admin_link_forms import ManyForm, ReplaceForm
from referrals.admin_lists import ListPages
from referrals.admin_on_off import PARTNER, OnAndOff
from referrals.link_facts import UTM
from referrals.link_form import LinkForm, NewLinkForm, initial_of
from referrals.listed_rows import MOST_ROWS, Row, day_before_end
from referrals.models import Link
from tiers.models import Program

if TYPE_CHECKING:
    from prm.accounts.models import User

CAPABILITY = "manage_links"
NAMED = 500  # so many partners have a box of their own; more are only reached all together or by a list


@admin.register(Link)
class LinkAdmin(ListPages, OnAndOff):
    """Links."""

    list_name = "referrals_link"
    list_capability = CAPABILITY
    list_title = gettext_lazy("Links from a list")
    list_lead = gettext_lazy(
        "Nothing is made from here: the next page shows each row with what becomes of it."
    )
    list_columns = (
        ("partner", gettext_lazy("The partner's id, the membership's id or the partner's e-mail address.")),
        ("label", gettext_lazy("The name of the link.")),
        ("destination", gettext_lazy("Where it leads; empty: where links of the program lead by default.")),
        ("slug", gettext_lazy("The short address; empty: one is made up.")),
        ("campaign", gettext_lazy("Up to 64 characters.")),
        (", ".join(UTM), gettext_lazy("Added to the page's address.")),
        ("expires", gettext_lazy("The last day it works, written as 2026-03-31.")),
    )
    change_list_template = "admin/referrals/link/change_list.html"
    list_display = (
        "slug",
        "label",
        "partner",
        "program",
        "campaign",
        "is_active",
        when_column("created_at", gettext_lazy("made")),
    )
    search_fields = ("slug", "label", "campaign", "membership__partner__name", "public_id")
    ordering = ("-created_at", "-pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Link]:
        """Read what the pages name with each link."""
        return Link.objects.select_related(PARTNER, "membership__program", "replacement")

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that make, change and replace."""
        wrap = self.admin_site.admin_view
        both = require_http_methods(["GET", "HEAD", "POST"])
        return [
            path("new/", wrap(require_safe(self.choose)), name="referrals_link_choose"),
            path("new/<int:pk>/", wrap(both(self.new)), name="referrals_link_new"),
            path("many/", wrap(require_safe(self.many_of)), name="referrals_link_many_of"),
            path("many/<int:pk>/", wrap(both(self.many)), name="referrals_link_many"),
            path("<int:pk>/edit/", wrap(both(self.edit)), name="referrals_link_edit"),
            path("<int:pk>/replace/", wrap(both(self.replace)), name="referrals_link_replace"),
            *self.list_urls(),
            *super().get_urls(),
        ]

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse | None:
        """Show one link, and switch it."""
        if object_id is None:
            return None
        require(request, self.sees)
        link = get_object_or_404(self.get_queryset(request), pk=object_id if object_id.isdecimal() else 0)
        if request.method == "POST":
            require(request, CAPABILITY)
            by, on = person(request), request.POST.get("on") == "1"
            attempt(request, lambda: links.switch(link, on=on, by=by, at=timezone.now()))
            return HttpResponseRedirect(row_url(link))
        response = self.page(
            request,
            "admin/referrals/link/link.html",
            title=link.label,
            link=link,
            facts=_facts(link),
            may_change=policy.may(request.user, CAPABILITY),
        )
        own_visits.mark_staff_browser(response, at=timezone.now())
        return response

    def choose(self, request: HttpRequest) -> HttpResponse:
        """Find the membership a link is for."""
        require(request, CAPABILITY)
        return self.choose_page(
            request,
            title=_("New link"),
            question=_("Whose link is it?"),
            view="admin:referrals_link_new",
        )

    def new(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Make a link for one partner."""
        require(request, CAPABILITY)
        membership = get_object_or_404(Membership.objects.select_related("partner", "program"), pk=pk)
        form = NewLinkForm(
            request.POST or None, initial={"destination_url": membership.program.destination_url}
        )
        if request.method == "POST" and form.is_valid():
            by, slug = person(request), form.cleaned_data["slug"]
            facts = links.vars_of(form.facts(membership.program.zone))
            made = attempt(
                request,
                lambda: links.make(membership, slug=slug, **facts, by=by, at=timezone.now()),
                form=form,
            )
            if made is not None:
                messages.success(request, _("The link “%(label)s” is made.") % {"label": made.label})
                return HttpResponseRedirect(row_url(made))
        title = _("New link of %(partner)s") % {"partner": membership.partner.name}
        return self._form(
            request, form, title=title, verb=_("Make the link"), back_url=row_url(membership.partner)
        )

    def edit(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Let a link say and lead to something else."""
        require(request, CAPABILITY)
        link = get_object_or_404(self.get_queryset(request), pk=pk)
        zone = link.membership.program.zone
        form = LinkForm(request.POST or None, initial=initial_of(link, zone))
        if request.method == "POST" and form.is_valid():
            by, facts = person(request), form.facts(zone)
            if attempt(request, lambda: links.change(link, facts, by=by, at=timezone.now()), form=form):
                messages.success(request, _("Saved. The next visitor is sent where the link leads now."))
                return HttpResponseRedirect(row_url(link))
        title = _("Change %(label)s") % {"label": link.label}
        return self._form(request, form, title=title, verb=_("Save"), back_url=row_url(link))

    def replace(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send a link's visitors to another one of the partner, or no longer."""
        require(request, CAPABILITY)
        link = get_object_or_404(self.get_queryset(request), pk=pk)
        others = (
            Link.objects.active().filter(membership=link.membership, replacement=None).exclude(pk=link.pk)
        )
        form = ReplaceForm(request.POST or None, initial={"by_link": link.replacement_id})
        form.fields["by_link"].queryset = others.order_by("slug")  # type: ignore[attr-defined]
        if request.method == "POST" and form.is_valid():
            by, target = person(request), form.cleaned_data["by_link"]
            if attempt(request, lambda: links.replace(link, target, by=by, at=timezone.now()), form=form):
                return HttpResponseRedirect(row_url(link))
        title = _("Replace %(label)s") % {"label": link.label}
        return self._form(request, form, title=title, verb=_("Save"), back_url=row_url(link))

    def many_of(self, request: HttpRequest) -> HttpResponse:
        """Choose the program many partners of which get a link."""
        require(request, CAPABILITY)
        return self.page(
            request,
            "admin/referrals/programs.html",
            title=_("Links for many partners"),
            lead=_("Partners of which program?"),
            programs=[
                (each, reverse("admin:referrals_link_many", args=[each.pk]))
                for each in Program.objects.order_by("name", "pk")
            ],
        )

    def many(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take what the links shall say and whom they are for, and show what would become of each."""
        require(request, CAPABILITY)
        program = get_object_or_404(Program, pk=pk)
        active = program.memberships.filter(state=MembershipState.ACTIVE, ended_at=None)
        active = active.select_related("partner").order_by("partner__name", "pk")
        form = ManyForm(
            request.POST or None,
            memberships=list(active[:NAMED]),
            initial={"destination_url": program.destination_url},
        )
        if request.method == "POST" and form.is_valid():
            given, facts = form.cleaned_data, form.facts(program.zone)
            chosen = active if given["who"] == "all" else active.filter(public_id__in=given["partners"])
            is_sound = attempt(request, lambda: links.checked(facts, program=program), form=form)
            if is_sound is not None:
                rows = link_lists.for_everybody(program, chosen[:MOST_ROWS], facts)
                return self.look(request, program, rows, atomic=False)
        title = _("Links for many partners of %(program)s") % {"program": program.name}
        return self._form(
            request,
            form,
            title=title,
            verb=_("Check the links"),
            back_url=reverse("admin:referrals_link_many_of"),
        )

    def parse_list(self, text: str) -> list[Row]:
        """Return the rows of a list of links."""
        return link_lists.parse(text)

    def check_list(self, program: Program, rows: Sequence[Row], *, at: datetime) -> list[link_lists.Checked]:
        """Say what would become of each row."""
        return link_lists.check(program, rows, at=at)

    def take_list(
        self, program: Program, rows: Sequence[Row], *, by: User, at: datetime, atomic: bool
    ) -> link_lists.Made:
        """Make the links."""
        return link_lists.make_all(program, rows, by=by, at=at, atomic=atomic)

    def what_of(self, each: link_lists.Checked) -> str:
        """Return the name of a link, and its short address when it has one."""
        slug = each.link.slug if each.link is not None else each.row.cell("slug")
        label = each.row.cell("label")
        return f"{label} ({slug})" if slug else label

    def verb_of(self, count: int) -> str:
        """Return what the button says."""
        return ngettext("Make %(count)s link", "Make %(count)s links", count) % {"count": count}

    def consequence_of(self, count: int) -> str:
        """Return what happens to the links that go."""
        text = ngettext(
            "%(count)s link is made, and its partner can share it at once.",
            "%(count)s links are made, and their partners can share them at once.",
            count,
        )
        return text % {"count": count}

    def _form(
        self, request: HttpRequest, form: forms.Form, *, title: str, verb: str, back_url: str
    ) -> HttpResponse:
        if "label" in form.fields:
            form.fields["label"].help_text = _("The partner sees it, for example “Spring newsletter”.")
        return self.page(
            request,
            "admin/referrals/form.html",
            title=title,
            status=422 if form.errors else 200,
            form=form,
            verb=verb,
            back_url=back_url or list_url(Link),
        )


def _facts(link: Link) -> list[Fact]:
    zone = link.membership.program.zone
    last_on = day_before_end(link.expires_at, zone)
    facts = [
        Fact(_("Partner"), link_to(link.membership.partner)),
        Fact(_("Program"), link.membership.program.name),
        Fact(_("Short address"), link.slug),
        Fact(_("Leads to"), link.destination_url),
        Fact(_("Campaign"), link.campaign or "–"),
        *(Fact(name, link.utm[name]) for name in UTM if link.utm.get(name)),
        Fact(_("Works until"), l10n.date_text(last_on, locale()) if last_on else _("no end")),
        Fact(_("On"), _("yes") if link.is_active else _("no")),
    ]
    if link.replacement is not None:
        facts.append(Fact(_("Replaced by"), link_to(link.replacement)))
    return [*facts, Fact(_("Id"), link.public_id)]
