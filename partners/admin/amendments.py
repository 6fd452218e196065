"""What is agreed with one partner, in the back office: the agreement as both sides see it, and amendments from draft to answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partners import amendments, terms_archive
from partners.admin.forms_terms import AmendmentForm
from partners.admin.terms import attached
from partners.choices import AmendmentState
from partners.models import Amendment, Membership
from partners.terms.acceptance import waits
from prm import documents
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    Fact,
    attempt,
    locale,
    person,
    require,
    row_url,
    state_column,
    when_column,
)
from prm.lib import l10n


@admin.register(Amendment)
class AmendmentAdmin(BackOfficeAdmin):
    """Amendments."""

    section = gettext_lazy("Amendments")
    sees = "see_partners"
    list_display = (
        "title",
        "whose",
        "number",
        state_column("amendment", gettext_lazy("state")),
        when_column("proposed_at", gettext_lazy("proposed")),
        when_column("answered_at", gettext_lazy("answered")),
    )
    list_filter = ("state", "membership__program")
    search_fields = ("title", "membership__partner__name", "public_id")
    ordering = ("-drafted_at", "-pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Amendment]:
        """Read partner and program with the rows."""
        found = super().get_queryset(request)
        return found.select_related(
            "membership__partner",
            "membership__program__legal_entity",
            "drafted_by",
            "proposed_by",
            "answered_by",
        )

    def get_urls(self) -> list[URLPattern]:
        """Add the agreement of a membership, and what is done with amendments."""
        pages: list[tuple[str, str, Callable[..., HttpResponse]]] = [
            ("of/<int:pk>/", "agreement", require_safe(self.agreement)),
            ("of/<int:pk>/pdf/", "agreement_pdf", require_safe(self.agreement_pdf)),
            ("of/<int:pk>/new/", "new", require_http_methods(["GET", "HEAD", "POST"])(self.new)),
            ("<int:pk>/propose/", "propose", require_http_methods(["GET", "HEAD", "POST"])(self.propose)),
            ("<int:pk>/withdraw/", "withdraw", require_POST(self.withdraw)),
        ]
        own = [
            path(address, self.admin_site.admin_view(view), name=f"partners_amendment_{name}")
            for address, name, view in pages
        ]
        return [*own, *super().get_urls()]

    @admin.display(description=gettext_lazy("partner"), ordering="membership__partner__name")
    def whose(self, amendment: Amendment) -> str:
        """Return the partner and the program."""
        return whose(amendment.membership)

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse:
        """Show an amendment; a draft can be written anew here."""
        require(request, self.sees)
        amendment = get_object_or_404(self.get_queryset(request), pk=object_id)
        may_change = policy.may(request.user, amendments.CAPABILITY)
        is_draft = amendment.state == AmendmentState.DRAFT
        form = AmendmentForm(
            request.POST or None,
            initial={name: getattr(amendment, name) for name in ("title", "text", "effective_on")},
        )
        if request.method == "POST":
            require(request, amendments.CAPABILITY)
            by, at = person(request), timezone.now()
            if form.is_valid():
                given = form.cleaned_data
                done = attempt(request, lambda: amendments.edit(amendment, by=by, at=at, **given), form=form)
                if done is not None:
                    messages.success(request, _("The draft is saved. The partner does not see it yet."))
                    return HttpResponseRedirect(row_url(amendment))
        return self.page(
            request,
            "admin/partners/amendment/amendment.html",
            title=amendment.title,
            status=422 if form.is_bound and form.errors else 200,
            parent=whose(amendment.membership),
            parent_url=agreement_url(amendment.membership),
            amendment=amendment,
            facts=_facts(amendment),
            form=form if is_draft and may_change else None,
            is_draft=is_draft,
            may_change=may_change,
            is_proposed=amendment.state == AmendmentState.PROPOSED,
        )

    def new(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Write the first draft of an amendment."""
        require(request, amendments.CAPABILITY)
        membership, form = _membership(request, pk), AmendmentForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            by, at, given = person(request), timezone.now(), form.cleaned_data
            made = attempt(request, lambda: amendments.draft(membership, by=by, at=at, **given), form=form)
            if made is not None:
                return HttpResponseRedirect(row_url(made))
        return self.page(
            request,
            "admin/partners/amendment/new.html",
            title=_("New amendment"),
            status=422 if form.is_bound and form.errors else 200,
            parent=whose(membership),
            parent_url=agreement_url(membership),
            form=form,
        )

    def propose(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Propose a draft to the partner, after saying what that does."""
        require(request, amendments.CAPABILITY)
        amendment = get_object_or_404(self.get_queryset(request), pk=pk)
        if request.method == "POST":
            by, at = person(request), timezone.now()
            if attempt(request, lambda: amendments.offer(amendment, by=by, at=at)) is not None:
                messages.success(
                    request, _("The owners of the team are asked. Nothing changes until they accept.")
                )
            return HttpResponseRedirect(row_url(amendment))
        return self.page(
            request,
            "admin/confirm.html",
            title=_("Propose “%(title)s”") % {"title": amendment.title},
            parent=amendment.title,
            parent_url=row_url(amendment),
            verb=_("Propose the amendment"),
            consequences=[
                _("The owners of the team of %(partner)s get an e-mail and read it in the portal.")
                % {"partner": amendment.membership.partner.name},
                _("Nothing changes until one of them accepts. A decline comes back with its reason."),
                _("From now on the text stands as it is: for other words, write a new amendment."),
            ],
        )

    def withdraw(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take a proposal back."""
        amendment = get_object_or_404(self.get_queryset(request), pk=pk)
        by, at = person(request), timezone.now()
        if attempt(request, lambda: amendments.withdraw(amendment, by=by, at=at)) is not None:
            messages.success(request, _("The proposal is withdrawn."))
        return HttpResponseRedirect(row_url(amendment))

    def agreement(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show everything that was agreed with one partner, as the partner sees it, and our drafts."""
        require(request, self.sees)
        membership = _membership(request, pk)
        at = timezone.now()
        archive = terms_archive.archive_of(membership)
        accepted = archive.by_version
        return self.page(
            request,
            "admin/partners/amendment/agreement.html",
            title=_("Agreement with %(who)s") % {"who": whose(membership)},
            membership=membership,
            member_url=row_url(membership),
            archive=archive,
            rows=[(version, accepted.get(version.pk)) for version in archive.versions],
            waits=waits(membership, at),
            amendments=list(amendments.of(membership)),
            may_change=policy.may(request.user, amendments.CAPABILITY) and membership.ended_at is None,
            can_print=documents.is_likely(),
        )

    def agreement_pdf(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send the agreement of one partner as PDF."""
        require(request, self.sees)
        membership, at = _membership(request, pk), timezone.now()
        content = attempt(request, lambda: terms_archive.agreement_pdf(membership, at=at))
        if content is None:
            return HttpResponseRedirect(agreement_url(membership))
        return attached(content, terms_archive.agreement_file_name(membership))


def agreement_url(membership: Membership) -> str:
    """Return the page of everything that was agreed with a membership."""
    return reverse("admin:partners_amendment_agreement", args=[membership.pk])


def whose(membership: Membership) -> str:
    """Return the partner and the program as people say it."""
    return _("%(partner)s in %(program)s") % {
        "partner": membership.partner.name,
        "program": membership.program.name,
    }


def _membership(request: HttpRequest, pk: int) -> Membership:
    found = Membership.objects.visible_to(person(request))
    membership: Membership = get_object_or_404(
        found.select_related("partner", "program__legal_entity"), pk=pk
    )
    return membership


def _facts(amendment: Amendment) -> list[Fact]:
    zone = amendment.membership.program.zone

    def moment(instant: Any) -> str:
        return l10n.datetime_text(instant, zone, locale()) if instant else ""

    day = amendment.effective_on
    begins = l10n.date_text(day, locale(), "long") if day else _("The moment it is accepted")
    facts = [
        Fact(_("State"), amendment.get_state_display()),
        Fact(_("Number"), amendment.number),
        Fact(_("In force from"), begins),
        Fact(_("Written"), moment(amendment.drafted_at), str(amendment.drafted_by)),
        Fact(_("Proposed"), moment(amendment.proposed_at), str(amendment.proposed_by or "")),
        Fact(_("Answered"), moment(amendment.answered_at), str(amendment.answered_by or "")),
        Fact(_("What the partner wrote"), amendment.answer_note),
        Fact(_("Hash of the text"), amendment.sha256),
    ]
    return [fact for fact in facts if fact.value]
