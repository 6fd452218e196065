"""The people of partners for staff: who is certified in what and until when, beside each partner and in one list, and the grant of a credential
by our own knowledge."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from partners.admin.applications import history_of
from partners.admin.certification_forms import GrantForm
from partners.certification import credentials, forecast
from partners.certification.days import last_day
from partners.checklists import in_language
from partners.choices import CredentialState
from partners.models import Certification, Credential, Membership, Partner, Staff
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    Fact,
    Panel,
    add_panels,
    attempt,
    link_to,
    list_url,
    locale,
    person,
    require,
    row_url,
)
from prm.accounts.models import User
from prm.lib import l10n
from prm.lib.periods import local_day
from tiers.qualify import Question

CAPABILITY = "manage_courses"
SHOWN, STEPS_SHOWN = 30, 5


class CertificationChoice(forms.ModelChoiceField):
    """Certifications, each by its name."""

    def label_from_instance(self, obj: Any) -> str:
        """Return the name in the reader's language."""
        return in_language(obj.name)


class HereFilter(admin.SimpleListFilter):
    """Who has left is kept, and not shown unless asked for."""

    title = gettext_lazy("on the list")
    parameter_name = "left"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the other way to look."""
        return [("yes", _("Left"))]

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Call what is shown without asking by its name."""
        for place, choice in enumerate(super().choices(changelist)):
            yield {**choice, "display": _("On the list")} if place == 0 else dict(choice)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Staff]) -> QuerySet[Staff]:
        """Keep those who are here, or those who have left."""
        return queryset.filter(left_at__isnull=self.value() != "yes")


class CertifiedFilter(admin.SimpleListFilter):
    """Who holds a valid credential, and who does not."""

    title = gettext_lazy("certified")
    parameter_name = "certified"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the two."""
        return [("yes", _("Certified")), ("no", _("Not certified"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Staff]) -> QuerySet[Staff]:
        """Keep those with a valid credential of any kind, or those without."""
        held = Credential.objects.valid(on=timezone.localdate()).values("staff")
        if self.value() == "yes":
            return queryset.filter(pk__in=held)
        return queryset.exclude(pk__in=held) if self.value() == "no" else queryset


@admin.register(Staff)
class StaffAdmin(BackOfficeAdmin):
    """People of partners, by partner."""

    section = gettext_lazy("People of partners")
    sees = "see_partners"
    list_display = ("full_name", "works_for", "role", "country", "certified_in")
    list_filter = (HereFilter, CertifiedFilter, "role", "partner__memberships__program")
    search_fields = ("full_name", "partner__name", "partner__public_id", "public_id")
    search_help_text = gettext_lazy("Person, partner or id")
    ordering = ("partner__name", "full_name", "pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Staff]:
        """Read the partner and what is held today with the rows."""
        held = Credential.objects.valid(on=timezone.localdate()).select_related("certification")
        rows = super().get_queryset(request).select_related("partner")
        return rows.prefetch_related(Prefetch("credentials", held.order_by("pk"), to_attr="held"))

    def get_urls(self) -> list[URLPattern]:
        """Add the page that grants a credential."""
        view = self.admin_site.admin_view(require_http_methods(["GET", "HEAD", "POST"])(self.grant))
        return [path("<int:pk>/grant/", view, name="partners_staff_grant"), *super().get_urls()]

    @admin.display(description=gettext_lazy("partner"), ordering="partner__name")
    def works_for(self, staff: Staff) -> str:
        """Return the partner."""
        return staff.partner.name

    @admin.display(description=gettext_lazy("certified in"))
    def certified_in(self, staff: Staff) -> str:
        """Return what the person holds today, each with its last day."""
        return ", ".join(_held_text(each) for each in getattr(staff, "held", ())) or "–"

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse | None:
        """Show one person with every credential."""
        if object_id is None:
            return None
        require(request, self.sees)
        found = get_object_or_404(
            Staff.objects.select_related("partner", "member"),
            pk=object_id if object_id.isdecimal() else 0,
        )
        rows = found.credentials.select_related("certification__program").order_by("-earned_on", "-pk")
        return self.page(
            request,
            "admin/partners/certification/person.html",
            title=found.full_name,
            facts=[
                Fact(_("Partner"), link_to(found.partner)),
                Fact(_("Role"), found.get_role_display()),
                Fact(_("Country"), found.country or "–"),
                Fact(_("Signs in"), _("yes") if found.member is not None else _("no")),
            ],
            has_left=found.left_at is not None,
            held=[(in_language(each.certification.name), _state(each), each, _until(each)) for each in rows],
            grant_url=_grant_url(found)
            if found.left_at is None and policy.may(request.user, CAPABILITY)
            else "",
            history=history_of(found)[::-1],
        )

    def grant(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Certify somebody by our own knowledge."""
        require(request, CAPABILITY)
        found = get_object_or_404(Staff.objects.select_related("partner"), pk=pk)
        form = GrantForm(request.POST or None)
        programs = Membership.objects.filter(partner=found.partner, ended_at=None).values("program")
        offered = Certification.objects.filter(program__in=programs, retired_at=None).order_by("key")
        field = CertificationChoice(label=_("Certification"), queryset=offered, empty_label=_("Choose"))
        form.fields["certification"] = field
        if request.method == "POST" and form.is_valid():
            given, by, at = form.cleaned_data, person(request), timezone.now()
            certification = cast("Certification", given["certification"])
            earned_on = cast("date | None", given["earned_on"])
            made = attempt(
                request,
                lambda: credentials.grant(certification, found, by=by, at=at, earned_on=earned_on),
                form=form,
            )
            if made is not None:
                messages.success(request, _("%(name)s is certified.") % {"name": found.full_name})
                return HttpResponseRedirect(row_url(made))
        return self.page(
            request,
            "admin/partners/certification/grant.html",
            title=_("Certify %(name)s") % {"name": found.full_name},
            status=422 if form.errors else 200,
            form=form,
            errors=bool(form.errors),
            parent=found.full_name,
            parent_url=row_url(found),
            consequences=[
                _("It counts at once for the tier of %(partner)s, with your name.")
                % {"partner": found.partner.name},
                _("The person and the owners of the team get a mail."),
            ],
        )


def _state(credential: Credential) -> str:
    return credentials.state_on(credential, local_day(timezone.now(), credential.certification.program.zone))


def _until(credential: Credential) -> str:
    day = last_day(credential)
    return _("for good") if day is None else l10n.date_text(day, locale())


def _held_text(credential: Credential) -> str:
    name = in_language(credential.certification.name)
    day = last_day(credential)
    if day is None:
        return name
    return _("%(certification)s until %(day)s") % {
        "certification": name,
        "day": l10n.date_text(day, locale()),
    }


def _grant_url(staff: Staff) -> str:
    return reverse("admin:partners_staff_grant", args=[staff.pk])


def panels(partner: Partner, by: User, at: datetime) -> Iterator[Panel]:
    """Show on a partner's page its people, the certified share in each program, and when it falls."""
    if not policy.may(by, "see_partners"):
        return
    today = timezone.localtime(at).date()
    held = Credential.objects.valid(on=today).select_related("certification").order_by("pk")
    rows = Staff.objects.filter(partner=partner, left_at=None).order_by("full_name", "pk")
    people = list(rows.prefetch_related(Prefetch("credentials", held, to_attr="held"))[: SHOWN + 1])
    may_grant = policy.may(by, CAPABILITY)
    yield Panel(
        title=_("Certified people"),
        template="admin/partners/certification/roster.html",
        context={
            "shares": list(_shares(partner, at)) if people else [],
            "people": [
                (each, [_held_text(held) for held in getattr(each, "held", ())], _grant_url(each))
                for each in people[:SHOWN]
            ],
            "has_more": len(people) > SHOWN,
            "all_url": f"{list_url(Staff)}?q={partner.public_id}",
            "waiting": Credential.objects.filter(
                Q(staff__partner=partner), state=CredentialState.WAITING
            ).count(),
            "waiting_url": f"{list_url(Credential)}?q={partner.public_id}&state__exact=waiting",
            "may_grant": may_grant,
        },
    )


def _shares(partner: Partner, at: datetime) -> Iterator[dict[str, Any]]:
    """Yield for each program the partner is in how many of its people are certified, and when that falls."""
    question = Question("certified_ratio")
    living = Membership.objects.filter(partner=partner, ended_at=None).select_related("program")
    for membership in living.order_by("joined_at", "pk"):
        day = local_day(at, membership.program.zone)
        heads = forecast.roster(partner, membership.program, at=at).heads(question)
        now = forecast.now(heads, day)
        if now is None:
            continue
        lapses = [
            _("From %(day)s %(share)s, without %(names)s.")
            % {
                "day": l10n.date_text(step.on, locale()),
                "share": forecast.ratio_text(step.ratio, locale()),
                "names": l10n.list_text(step.lapsed, locale()),
            }
            for step in forecast.steps(heads)[:STEPS_SHOWN]
        ]
        yield {
            "program": membership.program.name,
            "value": now.certified,
            "most": now.people,
            "ratio": forecast.ratio_text(now.ratio, locale()),
            "lapses": lapses,
        }


add_panels("partner", panels)
