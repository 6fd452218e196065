"""Recruiting links: what each brought, the address to put somewhere, making one and taking it out of use."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from partners import recruiting_links
from partners.choices import Channel
from partners.models import RecruitingLink
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    Fact,
    attempt,
    link_to,
    pages_of,
    person,
    require,
    row_url,
    when_column,
)
from tiers.models import Program

KEEPS = "manage_prospects"


class LinkForm(forms.Form):
    """What a link is to be called, and where it is put."""

    use_required_attribute = False

    program = forms.ModelChoiceField(
        label=gettext_lazy("Program"),
        queryset=Program.objects.order_by("name", "pk"),
        error_messages={"required": gettext_lazy("Choose the program.")},
    )
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=80,
        help_text=gettext_lazy("For you and your colleagues, such as “LinkedIn post, March”."),
        error_messages={"required": recruiting_links.NoName.message},
    )
    channel = forms.ChoiceField(
        label=gettext_lazy("Where it is put"),
        choices=[("", gettext_lazy("Choose")), *Channel.choices],
        error_messages={"required": recruiting_links.UnknownChannel.message},
    )
    key = forms.CharField(
        label=gettext_lazy("Word in the address"),
        required=False,
        max_length=40,
        help_text=gettext_lazy("Everybody who gets the link can read it. Empty: made from the name."),
    )


class InUseFilter(admin.SimpleListFilter):
    """Links that still count, and those that were taken out of use."""

    title = gettext_lazy("in use")
    parameter_name = "in_use"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the two ways to look."""
        return [("yes", _("In use")), ("no", _("Out of use"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[RecruitingLink]) -> QuerySet[RecruitingLink]:
        """Keep what was asked for."""
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(retired_at__isnull=self.value() == "yes")


@admin.register(RecruitingLink)
class RecruitingLinkAdmin(BackOfficeAdmin):
    """Recruiting links, the newest first."""

    sees, adds = "see_partners", KEEPS
    list_display = (
        "name",
        "program",
        "visits",
        "applications",
        "approved",
        "channel",
        "in_use",
        when_column("created_at", gettext_lazy("made")),
    )
    list_filter = ("program", InUseFilter, "channel")
    list_select_related = ("program", "membership__partner", "created_by")
    search_fields = ("name", "key", "public_id", "membership__partner__name")
    search_help_text = gettext_lazy("Name, word in the address or partner")
    ordering = ("-created_at", "-pk")

    def get_urls(self) -> list[URLPattern]:
        """Add the page that takes a link out of use, and the pages beside the table."""
        retire = self.admin_site.admin_view(require_http_methods(["GET", "HEAD", "POST"])(self.retire))
        own = [path("<int:pk>/retire/", retire, name="partners_recruitinglink_retire")]
        return [*own, *pages_of("recruitinglink", self), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[RecruitingLink]:
        """Read the program with each link."""
        found = super().get_queryset(request)
        return found.select_related("program", "membership__partner", "created_by")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Count what the links of the whole page brought at once."""
        listed = super().get_changelist_instance(request)
        counts = recruiting_links.counts_of(list(listed.result_list))
        for link in listed.result_list:
            link.counts = counts[link.pk]
        return listed

    @admin.display(description=gettext_lazy("visits"))
    def visits(self, link: RecruitingLink) -> int:
        """Return how often the page was opened by it."""
        return _counts(link).visits

    @admin.display(description=gettext_lazy("applications"))
    def applications(self, link: RecruitingLink) -> int:
        """Return how many applications that count came by it."""
        return _counts(link).applications

    @admin.display(description=gettext_lazy("approved"))
    def approved(self, link: RecruitingLink) -> int:
        """Return how many of them were approved."""
        return _counts(link).approved

    @admin.display(description=gettext_lazy("in use"), boolean=True)
    def in_use(self, link: RecruitingLink) -> bool:
        """Say whether it still counts."""
        return link.retired_at is None

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse | None:
        """Show one link, or ask for a new one."""
        if object_id is None:
            return self._add(request)
        require(request, self.sees)
        if not object_id.isdigit():
            return None
        link = get_object_or_404(self.get_queryset(request), pk=int(object_id))
        return self._one(request, link)

    def _add(self, request: HttpRequest) -> HttpResponse:
        require(request, self.adds)
        form = LinkForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            by, at, given = person(request), timezone.now(), dict(form.cleaned_data)
            made = attempt(
                request, lambda: recruiting_links.make(given.pop("program"), **given, by=by, at=at), form=form
            )
            if made is not None:
                messages.success(request, _("The link is ready. Copy its address."))
                return HttpResponseRedirect(row_url(made))
        return self.page(
            request,
            "admin/partners/recruitinglink/add.html",
            title=_("New recruiting link"),
            status=422 if form.errors else 200,
            form=form,
        )

    def _one(self, request: HttpRequest, link: RecruitingLink) -> HttpResponse:
        counts = recruiting_links.counts_of([link])[link.pk]
        facts = [
            Fact(_("Program"), link_to(link.program)),
            Fact(_("Where it is put"), link.get_channel_display()),
            *([_partner_fact(link)] if link.membership is not None else []),
            Fact(
                _("Visits"),
                counts.visits,
                _("Once a day for each browser; robots and colleagues are left out."),
            ),
            Fact(_("Applications"), counts.applications, _("Those whose e-mail address is confirmed.")),
            Fact(_("Approved"), counts.approved),
            Fact(_("Made by"), link.created_by.get_full_name()),
        ]
        return self.page(
            request,
            "admin/partners/recruitinglink/link.html",
            title=link.name,
            link=link,
            address=recruiting_links.address(link),
            facts=facts,
            retire_url=row_url(link, "retire") if link.retired_at is None and _may(request) else "",
        )

    def retire(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take a link out of use, after saying what that does."""
        require(request, KEEPS)
        link = get_object_or_404(self.get_queryset(request), pk=pk)
        if request.method == "POST":
            by, at = person(request), timezone.now()
            if attempt(request, lambda: recruiting_links.retire(link, by=by, at=at)) is not None:
                messages.success(request, _("%(name)s is out of use.") % {"name": link.name})
            return HttpResponseRedirect(row_url(link))
        return self.page(
            request,
            "admin/confirm.html",
            title=_("Take %(name)s out of use") % {"name": link.name},
            parent=link.name,
            parent_url=row_url(link),
            verb=_("Take it out of use"),
            consequences=[
                _("Whoever opens the address still comes to the program page."),
                _("From now on nobody is counted or introduced by it. What it brought stays."),
                _("It cannot be taken back. A new link has a new word."),
            ],
        )


def _counts(link: RecruitingLink) -> recruiting_links.Counts:
    counts: recruiting_links.Counts = getattr(link, "counts", recruiting_links.Counts())
    return counts


def _may(request: HttpRequest) -> bool:
    return policy.may(request.user, KEEPS)


def _partner_fact(link: RecruitingLink) -> Fact:
    assert link.membership is not None  # noqa: S101
    url = reverse("admin:partners_membership_change", args=[link.membership.pk])
    name = link.membership.partner.name
    return Fact(
        _("Introduces"),
        format_html('<a href="{}">{}</a>', url, name),
        _("Who joins by this link was introduced by this partner."),
    )
