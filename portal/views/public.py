"""The pages anybody may read: programs, what each offers, and its terms. They show published things only, and nothing of any partner."""

from __future__ import annotations

from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from partners import terms as terms_of
from partners.models import TermsVersion
from portal.offer import offer_of, sentence
from tiers.audience import for_strangers
from tiers.engine.facts import PlanFacts
from tiers.models import Program, Tier
from tiers.rulebook import Rulebook


@require_safe
def programs(request: HttpRequest) -> HttpResponse:
    """List the programs a stranger may see, each with its offer in one sentence."""
    at = timezone.now()
    listed = list(Program.objects.listed())
    plans = Rulebook.load([program.pk for program in listed])
    rungs: dict[int, list[Tier]] = {}
    for tier in Tier.objects.filter(program__in=listed).select_related("program").by_rank():
        rungs.setdefault(tier.program_id, []).append(tier)
    rows = [
        (program, sentence(program, _offered(plans, program, at), rungs.get(program.pk, []), at=at))
        for program in listed
    ]
    return render(request, "public/programs.html", {"rows": rows})


@require_safe
def program(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what a program offers, how it pays and who can join."""
    found, at = shown(slug), timezone.now()
    tiers = list(Tier.objects.filter(program=found).select_related("program").by_rank())
    plan = _offered(Rulebook.load([found.pk]), found, at)
    context = {
        "program": found,
        "offer": offer_of(found, plan, tiers, at=at),
        "terms": terms_of.in_force(found, at),
        "takes_applications": takes_applications(found),
        "contact": found.legal_entity.contact_email,
    }
    return render(request, "public/program.html", context)


@require_safe
def terms(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the terms in force, or an earlier or coming version by its number."""
    found, at = shown(slug), timezone.now()
    versions = list(terms_of.published(found))
    current = terms_of.in_force(found, at)
    version = _version(versions, request.GET.get("version", "")) or current
    if version is None:
        raise Http404
    context = {
        "program": found,
        "version": version,
        "current": current,
        "is_coming": version.effective_at is not None and version.effective_at > at,
        "sections": terms_of.sections(version),
        "versions": versions,
    }
    return render(request, "public/terms.html", context)


def shown(slug: str) -> Program:
    """Return a program strangers may see, or answer 404."""
    return get_object_or_404(Program.objects.listed().select_related("legal_entity"), slug=slug)


def takes_applications(program: Program) -> bool:
    """Tell whether one can apply now: the program is open and has terms to accept."""
    return program.is_open and terms_of.in_force(program, timezone.now()) is not None


def _offered(plans: Rulebook, program: Program, at: datetime) -> PlanFacts | None:
    """Return the plan in force as strangers may read it, without what was agreed with single partners."""
    plan = plans.plan_for(program.pk, at)
    return None if plan is None else for_strangers(plan)


def _version(versions: list[TermsVersion], number: str) -> TermsVersion | None:
    if not number:
        return None
    for version in versions:
        if str(version.number) == number:
            return version
    raise Http404
