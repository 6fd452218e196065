"""The page that tries an order. Its address holds what was asked, so that an answer can be sent to a colleague; it changes nothing."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from partners.models import Membership
from payouts import simulator
from prm.accounts import policy
from prm.accounts.back_office import BackOfficeAdmin, add_pages, attempt, locale, require
from tiers import sentences
from tiers.models import PlanVersion, Program
from tiers.order_form import OrderForm, initial_of

MEMBERS, MOST_MEMBERS = "try_members", 500


class SimulatorForm(OrderForm):
    """An order, with the version it is tried on."""

    version = forms.ChoiceField(
        label=gettext_lazy("Version"),
        required=False,
        help_text=gettext_lazy("Whatever was in force on the day, or one version, drafts too."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = PlanVersion.objects.filter(plan__program=self.program).order_by("-number")
        versions = self.fields["version"]
        assert isinstance(versions, forms.ChoiceField)  # noqa: S101
        versions.choices = [
            ("", _("In force on the day")),
            *((each.public_id, _named(each)) for each in found),
        ]
        partner = self.fields["partner"]
        partner.widget.attrs["list"] = MEMBERS
        partner.help_text = _("Type the partner's name and choose; for what its books and its own terms say.")

    def head(self) -> list[forms.BoundField]:
        """Return what stands above the order."""
        return [self["version"], self["partner"]]

    def more(self) -> list[forms.BoundField]:
        """Return the fields for rules that ask for more."""
        return [field for field in super().more() if field.name != "partner"]


class SimulatorPage:
    """The page, below another table of the back office."""

    def __init__(self, desk: BackOfficeAdmin) -> None:
        self.desk = desk

    def urls(self) -> list[URLPattern]:
        """Return the address of the page."""
        view = self.desk.admin_site.admin_view(require_safe(self.show))
        return [path("try/", view, name="payouts_simulator")]

    def show(self, request: HttpRequest) -> HttpResponse:
        """Show the form for a program, and what the order in the address would earn."""
        require(request, "try_plans")
        programs = list(Program.objects.order_by("name", "pk"))
        wanted = request.GET.get("program", "")
        program = next((each for each in programs if each.slug == wanted), programs[0] if programs else None)
        if program is None:
            return self._page(request, programs=[])
        is_asked = "amount" in request.GET
        initial = initial_of({"kind": "sale", "version": request.GET.get("version", "")})
        initial["version"] = request.GET.get("version", "")
        form = SimulatorForm(
            request.GET if is_asked else None, initial=initial, program=program, auto_id="try_%s"
        )
        found = self._tried(request, program, form) if is_asked and form.is_valid() else None
        return self._page(
            request,
            programs=programs,
            program=program,
            form=form,
            members=_members(program),
            members_id=MEMBERS,
            errors=bool(form.errors),
            found=found,
            sentence=_sentence(found, program) if found else "",
            may_keep=policy.may(request.user, "publish_plans"),
        )

    def _tried(
        self, request: HttpRequest, program: Program, form: SimulatorForm
    ) -> simulator.Simulation | None:
        version = PlanVersion.objects.filter(
            plan__program=program, public_id=form.cleaned_data["version"]
        ).first()
        return attempt(
            request,
            lambda: simulator.simulate(program, form.facts(), version=version, at=timezone.now()),
            form=form,
        )

    def _page(self, request: HttpRequest, **context: Any) -> HttpResponse:
        return self.desk.page(
            request,
            "admin/payouts/simulator.html",
            title=_("Try an order"),
            **context,
        )


def _members(program: Program) -> QuerySet[Membership]:
    """Return whom the field of the membership suggests; who comes after the first hundreds is typed by its id."""
    found = Membership.objects.filter(program=program).select_related("partner")
    return found.order_by("partner__name", "pk")[:MOST_MEMBERS]


def _named(version: PlanVersion) -> str:
    return _("Version %(number)s, %(state)s") % {
        "number": version.number,
        "state": version.get_state_display().lower(),
    }


def _sentence(found: simulator.Simulation, program: Program) -> str:
    names = {tier.key: tier.name for tier in program.tiers.all()}
    return sentences.plan_sentence(found.plan, currency=program.currency, locale=locale(), names=names)


add_pages("plan", lambda desk: SimulatorPage(desk).urls())
