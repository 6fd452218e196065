"""The credentials desk: certificates of others to check, credentials to revoke with what that does to the partner's tier, and the list of who is
certified in what, also as a file."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from partners.admin.applications import history_of
from partners.admin.certification_forms import RefuseForm
from partners.admin.certification_revoking import RevokePages
from partners.admin.day_column import day_column
from partners.certification import credentials
from partners.certification.days import last_day
from partners.checklists import in_language
from partners.choices import CredentialState
from partners.models import Credential
from prm import audit
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    Fact,
    attempt,
    badge,
    link_to,
    list_url,
    locale,
    person,
    require,
    row_url,
)
from prm.lib import l10n
from prm.lib.cells import formula_safe
from prm.lib.periods import local_day

CAPABILITY = "manage_courses"
LAPSING = timedelta(days=60)
_COLUMNS = (
    "id",
    "person",
    "partner",
    "program",
    "certification",
    "state",
    "source",
    "earned_on",
    "expires_on",
    "issuer",
    "number",
)


class LapseFilter(admin.SimpleListFilter):
    """Credentials that end soon, or have ended."""

    title = gettext_lazy("end")
    parameter_name = "ends"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the two ways to look."""
        return [("soon", _("Within 60 days")), ("over", _("Expired"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Credential]) -> QuerySet[Credential]:
        """Keep what ends soon, or what has ended."""
        today = timezone.localdate()
        valid = queryset.filter(state=CredentialState.VALID)
        if self.value() == "soon":
            return valid.filter(expires_on__gt=today, expires_on__lte=today + LAPSING)
        return valid.filter(expires_on__lte=today) if self.value() == "over" else queryset


@admin.register(Credential)
class CredentialAdmin(RevokePages, BackOfficeAdmin):
    """Credentials, what was handed in last first."""

    section = gettext_lazy("Credentials")
    sees = "see_partners"
    change_list_template = "admin/partners/certification/credentials.html"
    list_display = (
        "named",
        "standing",
        "partner",
        "certified_in",
        "until",
        day_column("earned_on", gettext_lazy("earned")),
    )
    list_filter = ("state", LapseFilter, "source", "certification__program", "certification")
    search_fields = (
        "staff__full_name",
        "staff__partner__name",
        "staff__partner__public_id",
        "public_id",
        "number",
    )
    search_help_text = gettext_lazy("Person, partner, number or id")
    ordering = ("-given_at", "-pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Credential]:
        """Read the person, the partner and the certification with the rows."""
        rows = super().get_queryset(request)
        return rows.select_related("staff__partner", "certification__program", "given_by", "decided_by")

    def get_urls(self) -> list[URLPattern]:
        """Add what decides, the certificate, and the file."""
        wrap = self.admin_site.admin_view
        return [
            path("file.csv", wrap(require_safe(self.csv_file)), name="partners_credential_csv"),
            path("<int:pk>/accept/", wrap(require_POST(self.accept)), name="partners_credential_accept"),
            path("<int:pk>/refuse/", wrap(require_POST(self.refuse)), name="partners_credential_refuse"),
            path("<int:pk>/proof/", wrap(require_safe(self.proof)), name="partners_credential_proof"),
            *self.revoke_urls(),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Lead to the file of exactly the rows that are shown."""
        query = request.GET.urlencode()
        file_url = reverse("admin:partners_credential_csv")
        extra = {"file_url": f"{file_url}?{query}" if query else file_url}
        return super().changelist_view(request, {**extra, **(extra_context or {})})

    @admin.display(description=gettext_lazy("person"), ordering="staff__full_name")
    def named(self, credential: Credential) -> str:
        """Return who holds it."""
        return credential.staff.full_name

    @admin.display(description=gettext_lazy("partner"), ordering="staff__partner__name")
    def partner(self, credential: Credential) -> str:
        """Return whom the person works for."""
        return credential.staff.partner.name

    @admin.display(description=gettext_lazy("certification"), ordering="certification__key")
    def certified_in(self, credential: Credential) -> str:
        """Return the certification in the reader's language."""
        return in_language(credential.certification.name)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def standing(self, credential: Credential) -> str:
        """Return where it stands today."""
        return badge(_state(credential), "credential")

    @admin.display(description=gettext_lazy("valid until"), ordering="expires_on")
    def until(self, credential: Credential) -> str:
        """Return the last day it counts."""
        return _until(credential)

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse | None:
        """Show one credential, and what can be done about it."""
        if object_id is None:
            return None
        require(request, self.sees)
        return self._show(request, self._found(request, object_id), RefuseForm())

    def accept(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Accept a certificate, and go on with the next one that waits."""
        require(request, CAPABILITY)
        found, by, at = self._found(request, str(pk)), person(request), timezone.now()
        if attempt(request, lambda: credentials.check_proof(found, accepted=True, by=by, at=at)) is None:
            return HttpResponseRedirect(row_url(found))
        messages.success(request, _("%(name)s is certified.") % {"name": found.staff.full_name})
        return HttpResponseRedirect(self._next())

    def refuse(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say why a certificate is not accepted."""
        require(request, CAPABILITY)
        found, by, at = self._found(request, str(pk)), person(request), timezone.now()
        form = RefuseForm(request.POST)
        if form.is_valid():
            reason = form.cleaned_data["reason"]
            verb = credentials.check_proof
            if attempt(request, lambda: verb(found, accepted=False, reason=reason, by=by, at=at), form=form):
                messages.success(request, _("The certificate is not accepted. The partner reads why."))
                return HttpResponseRedirect(self._next())
        return self._show(request, found, form)

    def proof(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Hand out the certificate."""
        require(request, self.sees)
        return credentials.attachment(get_object_or_404(Credential.objects.exclude(proof=""), pk=pk))

    def csv_file(self, request: HttpRequest) -> HttpResponseBase:
        """Send the rows the list shows as a file."""
        require(request, self.sees)
        rows = self.listed(request)
        audit.record(person(request), "credential.file_taken", None, at=timezone.now())
        writer = csv.writer(_Echo())

        def lines() -> Iterator[str]:
            yield writer.writerow(_COLUMNS)
            for each in rows.iterator(chunk_size=500):
                yield writer.writerow([formula_safe(cell) for cell in _cells(each)])

        response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="credentials.csv"'
        return response

    def _found(self, request: HttpRequest, pk: str) -> Credential:
        return get_object_or_404(self.get_queryset(request), pk=pk if pk.isdecimal() else 0)

    def _next(self) -> str:
        waiting = Credential.objects.filter(state=CredentialState.WAITING).order_by("given_at", "pk").first()
        return row_url(waiting) if waiting is not None else list_url(Credential)

    def _show(self, request: HttpRequest, found: Credential, form: RefuseForm) -> HttpResponse:
        may = policy.may(request.user, CAPABILITY)
        return self.page(
            request,
            "admin/partners/certification/credential.html",
            title=_("%(name)s: %(certification)s")
            % {"name": found.staff.full_name, "certification": in_language(found.certification.name)},
            status=422 if form.errors else 200,
            credential=found,
            state=_state(found),
            form=form,
            errors=bool(form.errors),
            may_check=may and found.state == CredentialState.WAITING,
            may_revoke=may and found.state == CredentialState.VALID,
            facts=_facts(found),
            history=history_of(found)[::-1],
        )


class _Echo:
    """What a writer of CSV writes to, when each line is sent as it is written."""

    def write(self, line: str) -> str:
        return line


def _state(credential: Credential) -> str:
    return credentials.state_on(credential, local_day(timezone.now(), credential.certification.program.zone))


def _until(credential: Credential) -> str:
    day = last_day(credential)
    return _("for good") if day is None else l10n.date_text(day, locale())


def _facts(found: Credential) -> list[Fact]:
    facts = [
        Fact(_("Person"), link_to(found.staff)),
        Fact(_("Partner"), link_to(found.staff.partner)),
        Fact(_("Certification"), link_to(found.certification, in_language(found.certification.name))),
        Fact(_("How"), found.get_source_display()),
        Fact(_("Earned on"), l10n.date_text(found.earned_on, locale())),
        Fact(_("Valid until"), _until(found)),
    ]
    if found.issuer:
        facts.append(Fact(_("Issued by"), found.issuer))
    if found.number:
        facts.append(Fact(_("Number"), found.number))
    if found.given_by is not None:
        facts.append(Fact(_("Given by"), found.given_by.get_full_name()))
    if found.decided_by is not None:
        facts.append(Fact(_("Checked by"), found.decided_by.get_full_name()))
    if found.reason:
        facts.append(Fact(_("Reason"), found.reason))
    return facts


def _cells(row: Credential) -> list[str]:
    return [
        row.public_id,
        row.staff.full_name,
        row.staff.partner.name,
        row.certification.program.name,
        in_language(row.certification.name),
        _state(row),
        row.source,
        row.earned_on.isoformat(),
        row.expires_on.isoformat() if row.expires_on else "",
        row.issuer,
        row.number,
    ]
