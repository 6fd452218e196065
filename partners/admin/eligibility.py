"""Eligibility rules: written row by row, tried on applications that exist, then switched on. A rule in use cannot be changed, only retired."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from partners import eligibility, eligibility_rules, screening
from partners.admin.forms_eligibility import ProgramForm, RuleForm, field_words, operator_words
from partners.choices import RuleDecision
from partners.models import EligibilityRule
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    Fact,
    attempt,
    list_url,
    locale,
    person,
    require,
    row_url,
    when_column,
)
from prm.lib import l10n
from tiers.models import Program

LISTED = 20
DRAFT, IN_USE, RETIRED = gettext_lazy("Draft"), gettext_lazy("In use"), gettext_lazy("Retired")


class StandingFilter(admin.SimpleListFilter):
    """Drafts, rules in use, and those that were retired."""

    title = gettext_lazy("state")
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Name the states."""
        return [("use", str(IN_USE)), ("draft", str(DRAFT)), ("retired", str(RETIRED))]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[EligibilityRule]
    ) -> QuerySet[EligibilityRule]:
        """Keep one state."""
        match self.value():
            case "use":
                return queryset.filter(activated_at__isnull=False, retired_at=None)
            case "draft":
                return queryset.filter(activated_at=None, retired_at=None)
            case "retired":
                return queryset.filter(retired_at__isnull=False)
        return queryset


@admin.register(EligibilityRule)
class EligibilityRuleAdmin(BackOfficeAdmin):
    """Rules that decide on applications, in the order they are asked."""

    section = gettext_lazy("Eligibility rules")
    sees, adds = "see_applications", "manage_eligibility"
    list_display = (
        "name",
        "program",
        "position",
        "decision",
        "standing",
        "decided",
        when_column("activated_at", gettext_lazy("in use since")),
    )
    list_filter = ("program", StandingFilter)
    list_select_related = ("program",)
    search_fields = ("name", "public_id")
    ordering = ("program__name", "retired_at", "position", "pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[EligibilityRule]:
        """Count with the rows what they decided."""
        rules = EligibilityRule.objects.select_related("program", "tier", "activated_by")
        return rules.annotate(decided_count=Count("applications"))

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of one rule."""
        both = require_http_methods(["GET", "POST"])
        pages: list[tuple[str, Callable[..., HttpResponse]]] = [
            ("edit", both(self.edit)),
            ("activate", both(self.activate)),
            ("retire", both(self.retire)),
            ("move", require_POST(self.move)),
        ]
        own = [
            path(
                f"<int:pk>/{name}/",
                self.admin_site.admin_view(view),
                name=f"partners_eligibilityrule_{name}",
            )
            for name, view in pages
        ]
        return [*own, *super().get_urls()]

    @admin.display(description=gettext_lazy("state"))
    def standing(self, rule: EligibilityRule) -> str:
        """Return whether a rule decides."""
        return standing_of(rule)

    @admin.display(description=gettext_lazy("decided"), ordering="decided_count")
    def decided(self, rule: EligibilityRule) -> int:
        """Return on how many applications it decided."""
        count: int = getattr(rule, "decided_count", 0)
        return count

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse:
        """Show one rule with what it would have decided, or ask for a new one."""
        if object_id is None:
            return self._add(request)
        require(request, self.sees)
        rule = get_object_or_404(self.get_queryset(request), pk=object_id)
        tried = eligibility.try_on(rule)
        may = policy.may(request.user, "manage_eligibility")
        return self.page(
            request,
            "admin/partners/eligibilityrule/rule.html",
            title=rule.name,
            rule=rule,
            facts=_facts(rule),
            conditions=sentences_of(rule),
            tried=tried,
            met=tried.met[:LISTED],
            summary=_summary(len(tried.met), tried.looked_at),
            may=may and rule.retired_at is None,
            is_draft=rule.activated_at is None and rule.retired_at is None,
        )

    def edit(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Change a draft."""
        require(request, "manage_eligibility")
        rule = get_object_or_404(self.get_queryset(request), pk=pk)
        form = RuleForm(request.POST or None, program=rule.program, rule=rule)
        if request.method == "POST" and form.is_valid():
            by, at, given = person(request), timezone.now(), form.cleaned_data
            changed = attempt(
                request, lambda: eligibility_rules.change(rule, by=by, at=at, **given), form=form
            )
            if changed is not None:
                return HttpResponseRedirect(row_url(changed))
        return self._form_page(request, form, program=rule.program, title=_("Change the rule"), rule=rule)

    def activate(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Switch a rule on, after saying what that does."""
        require(request, "manage_eligibility")
        rule = get_object_or_404(self.get_queryset(request), pk=pk)
        if request.method == "POST":
            by, at = person(request), timezone.now()
            if attempt(request, lambda: eligibility_rules.activate(rule, by=by, at=at)) is not None:
                messages.success(request, _("%(rule)s is in use from now on.") % {"rule": rule.name})
            return HttpResponseRedirect(row_url(rule))
        tried = eligibility.try_on(rule)
        return self._confirm(
            request,
            rule,
            title=_("Switch on %(rule)s") % {"rule": rule.name},
            verb=_("Switch the rule on"),
            consequences=[
                _effect(rule),
                _summary(len(tried.met), tried.looked_at),
                _(
                    "It is asked about applications that begin to count from now on, not about those that wait already."
                ),
                _("It decides in your name. While it is in use nobody can change it."),
            ],
        )

    def retire(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Retire a rule, or throw a draft away, after saying what that does."""
        require(request, "manage_eligibility")
        rule = get_object_or_404(self.get_queryset(request), pk=pk)
        if request.method == "POST":
            by, at = person(request), timezone.now()
            if attempt(request, lambda: eligibility_rules.retire(rule, by=by, at=at)) is not None:
                messages.success(request, _("%(rule)s decides on nothing any more.") % {"rule": rule.name})
            return HttpResponseRedirect(list_url(EligibilityRule))
        return self._confirm(
            request,
            rule,
            title=_("Retire %(rule)s") % {"rule": rule.name},
            verb=_("Retire the rule"),
            consequences=[
                _("It decides on nothing any more, from now on and for good."),
                _("What it decided stays, with the rule beside it."),
            ],
        )

    def move(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask a rule one place earlier or later."""
        require(request, "manage_eligibility")
        rule = get_object_or_404(self.get_queryset(request), pk=pk)
        by, at, up = person(request), timezone.now(), request.POST.get("to") == "earlier"
        moved = attempt(request, lambda: eligibility_rules.move(rule, up=up, by=by, at=at))
        if moved is not None:
            said = _("%(rule)s is asked in place %(position)s.")
            messages.success(request, said % {"rule": rule.name, "position": moved.position})
        return HttpResponseRedirect(row_url(rule))

    def _add(self, request: HttpRequest) -> HttpResponse:
        require(request, self.adds)
        asked = request.POST.get("program") or request.GET.get("program", "")
        program = Program.objects.filter(pk=asked).first() if asked.isdecimal() else None
        if program is None:
            return self.page(
                request,
                "admin/partners/eligibilityrule/program.html",
                title=_("New rule"),
                form=ProgramForm(),
            )
        form = RuleForm(request.POST if request.method == "POST" else None, program=program)
        if request.method == "POST" and form.is_valid():
            by, at, given = person(request), timezone.now(), form.cleaned_data
            rule = attempt(
                request, lambda: eligibility_rules.draft(program, by=by, at=at, **given), form=form
            )
            if rule is not None:
                return HttpResponseRedirect(row_url(rule))
        return self._form_page(request, form, program=program, title=_("New rule"), rule=None)

    def _form_page(
        self,
        request: HttpRequest,
        form: RuleForm,
        *,
        program: Program,
        title: str,
        rule: EligibilityRule | None,
    ) -> HttpResponse:
        return self.page(
            request,
            "admin/partners/eligibilityrule/form.html",
            title=title,
            status=422 if form.errors else 200,
            form=form,
            errors=bool(form.errors),
            program=program,
            back=row_url(rule) if rule is not None else list_url(EligibilityRule),
        )

    def _confirm(
        self, request: HttpRequest, rule: EligibilityRule, *, title: str, verb: str, consequences: list[str]
    ) -> HttpResponse:
        return self.page(
            request,
            "admin/confirm.html",
            title=title,
            verb=verb,
            consequences=consequences,
            parent=rule.name,
            parent_url=row_url(rule),
        )


def standing_of(rule: EligibilityRule) -> str:
    """Return whether a rule decides, in a word."""
    if rule.retired_at is not None:
        return str(RETIRED)
    return str(DRAFT if rule.activated_at is None else IN_USE)


def sentences_of(rule: EligibilityRule) -> list[str]:
    """Return the conditions as they are read."""
    fields, operators, codes = field_words(rule.program), operator_words(), dict(screening.code_choices())
    return [
        _("%(field)s %(operator)s %(value)s")
        % {
            "field": fields.get(row["field"], row["field"]),
            "operator": operators.get(row["operator"], row["operator"]),
            "value": codes.get(row["value"], row["value"]) if row["field"] == "signals" else row["value"],
        }
        for row in rule.conditions
    ]


def _facts(rule: EligibilityRule) -> list[Fact]:
    facts = [
        Fact(_("Program"), rule.program.name),
        Fact(_("State"), standing_of(rule)),
        Fact(_("Asked in place"), rule.position),
        Fact(_("What it does"), _effect(rule)),
    ]
    if rule.note:
        facts.append(Fact(_("Message to the applicant"), rule.note))
    if rule.activated_by is not None and rule.activated_at is not None:
        zone = rule.program.zone
        since = l10n.datetime_text(rule.activated_at, zone, locale())
        facts.append(Fact(_("In use since"), since, rule.activated_by.full_name or rule.activated_by.email))
    return facts


def _effect(rule: EligibilityRule) -> str:
    if rule.decision == RuleDecision.APPROVE:
        return _("It approves into the tier %(tier)s.") % {"tier": rule.tier.name if rule.tier else "–"}
    if rule.decision == RuleDecision.FLAG:
        return _("It leaves the application to a person, with a warning.")
    reason = rule.get_reason_display()
    if not rule.reapply_days:
        return _("It declines: %(reason)s.") % {"reason": reason}
    text = ngettext(
        "It declines: %(reason)s. One may apply again after %(days)s day.",
        "It declines: %(reason)s. One may apply again after %(days)s days.",
        rule.reapply_days,
    )
    return text % {"reason": reason, "days": rule.reapply_days}


def _summary(met: int, looked_at: int) -> str:
    text = ngettext(
        "Of the %(looked_at)s newest applications of this program, it would have met %(met)s.",
        "Of the %(looked_at)s newest applications of this program, it would have met %(met)s.",
        looked_at,
    )
    return text % {"looked_at": looked_at, "met": met}
