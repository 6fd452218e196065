"""Commission lines: each with its state and the explanation stored with it. The amounts of a line never change."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payouts import overview
from payouts.admin import line_pages, promises
from payouts.admin.totals import WithTotals
from payouts.choices import CommissionKind
from payouts.explained import subject
from payouts.explained.line import explain, readable
from payouts.models import Commission
from prm.accounts import policy
from prm.accounts.back_office import badge, link_to, money_column, person, state_column, when_column

LINKED = ("membership__partner__id__exact", "statement__id__exact")


class StageFilter(admin.SimpleListFilter):
    """The stages of the money path, as partners see them."""

    title = gettext_lazy("stage")
    parameter_name = "stage"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the stages."""
        return [
            ("review", _("In review")),
            ("hold", _("On hold")),
            ("ready", _("Ready to pay")),
            ("sent", _("On its way")),
            ("paid", _("Paid")),
            ("reversed", _("Taken back")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Commission]) -> QuerySet[Commission]:
        """Keep the lines of one stage."""
        value = self.value()
        known = value in overview.STAGES or value == "reversed"
        return overview.in_stage(queryset, str(value)) if known else queryset


@admin.register(Commission)
class CommissionAdmin(WithTotals):
    """Commission lines, the newest first."""

    sees = "see_commissions"
    change_form_template = "admin/payouts/commission/change_form.html"
    actions = (line_pages.choose_dates,)  # type: ignore[assignment]  # other tables have none
    list_display = (
        "about",
        "partner",
        when_column("effective_at", gettext_lazy("happened")),
        money_column("base_minor", gettext_lazy("sale")),
        money_column("amount_minor", gettext_lazy("commission")),
        state_column("commission", gettext_lazy("state")),
        when_column("payable_at", gettext_lazy("ready to pay from")),
    )
    list_filter = (StageFilter, "state", "kind", "currency", "membership__program", "effective_at")
    list_select_related = ("conversion", "membership__partner", "membership__program")
    search_fields = ("conversion__external_id", "public_id", "membership__partner__name")
    search_help_text = gettext_lazy("Order, partner or id")
    ordering = ("-effective_at", "-pk")
    fields = (
        "public_id",
        "whose",
        "event",
        "rule_key",
        "version",
        "effective_at",
        "payable_at",
        "month",
        "on_statement",
        "computed_at",
    )
    readonly_fields = fields

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that move payable dates and count the promises kept."""
        return [*line_pages.addresses(self), *promises.addresses(self), *super().get_urls()]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer what is done to several lines to those who may."""
        return super().get_actions(request) if policy.may(request.user, "adjust_balances") else {}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Commission]:
        """Read what the person may see."""
        return Commission.objects.visible_to(person(request))

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """Allow the links other pages make."""
        return lookup in LINKED or super().lookup_allowed(lookup, value, request)

    @admin.display(description=gettext_lazy("order"), ordering="conversion__external_id")
    def about(self, line: Commission) -> str:
        """Return the order the line is about, or its period, and what kind of line it is."""
        order = subject.order_text(line)
        text = order or subject.period_text(line, line.membership.program.zone)
        if line.kind == CommissionKind.EARNED:
            return text
        return format_html('{}<span class="sub">{}</span>', text, CommissionKind(line.kind).label)

    @admin.display(description=gettext_lazy("partner"), ordering="membership__partner__name")
    def partner(self, line: Commission) -> str:
        """Return the partner who earns it."""
        return line.membership.partner.name

    @admin.display(description=gettext_lazy("partner"))
    def whose(self, line: Commission) -> str:
        """Return the partner as a link."""
        return link_to(line.membership.partner)

    @admin.display(description=gettext_lazy("event"))
    def event(self, line: Commission) -> str:
        """Return the conversion as a link."""
        return link_to(line.conversion)

    @admin.display(description=gettext_lazy("plan version"))
    def version(self, line: Commission) -> str:
        """Return the version of the plan that rated it, as a link."""
        return link_to(line.plan_version)

    @admin.display(description=gettext_lazy("month"))
    def month(self, line: Commission) -> str:
        """Return the month it was booked in."""
        return str(line.period)

    @admin.display(description=gettext_lazy("statement"))
    def on_statement(self, line: Commission) -> str:
        """Return the statement it is on, as a link."""
        return link_to(line.statement)

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Put the explanation above the facts."""
        line = kwargs.get("obj")
        if line is not None:
            stored = readable(Commission.objects.all()).get(pk=line.pk)
            context.update(
                {
                    "title": _title(line),
                    "subtitle": None,
                    "line": line,
                    "found": explain(stored, at=timezone.now(), for_staff=True),
                    "moves": line_pages.moves_of(stored, request),
                    "badge": badge(line.state if line.amount_minor else "nothing_due", "commission"),
                }
            )
        return super().render_change_form(request, context, *args, **kwargs)


def _title(line: Commission) -> str:
    if line.conversion is None:
        return subject.title_text(line, line.membership.program.zone)
    return _("Commission for order %(order)s") % {"order": line.conversion.external_id}
