"""The pages anybody may read: programs, what each offers, and its terms. They show published things only, and nothing of any partner."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from partners import launch_checks, launching, program_texts
from partners import terms as terms_of
from partners.mails import absolute
from portal.forms_waiting import WaitingForm
from portal.offer import offer_of, sentence
from portal.tier_table import ladders_of
from portal.visitors import count_visit, source_of
from referrals import attribution_versions
from tiers.audience import for_strangers
from tiers.engine.facts import PlanFacts
from tiers.models import Program, Tier
from tiers.rulebook import Rulebook


@require_safe
def programs(request: HttpRequest) -> HttpResponse:
    """List the programs a stranger may see, each with its offer in one sentence."""
    context = {"rows": _rows(timezone.now()), "canonical": absolute(reverse("public:programs"))}
    return render(request, "public/programs.html", context)


@require_safe
def program(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what a program offers, how it pays and who can join; an address that means none leads to those there are."""
    at = timezone.now()
    found = Program.objects.listed().select_related("legal_entity").filter(slug=slug).first()
    if found is None:
        return render(request, "public/no_such_program.html", {"rows": _rows(at)}, status=404)
    source_of(request, found)  # kept for the application, should there be one
    response = program_page(request, found, at=at)
    count_visit(request, response, found, at=at)
    return response


def program_page(
    request: HttpRequest,
    found: Program,
    *,
    at: datetime,
    form: WaitingForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """Answer with the page of a program; while it is closed, with the form to wait for it."""
    tiers = list(Tier.objects.filter(program=found).in_use().select_related("program").by_rank())
    is_open = launching.takes_applications(found, at=at)
    plan = _offered(Rulebook.load([found.pk]), found, at)
    offer = offer_of(found, plan, tiers, at=at, can_apply=is_open)
    texts = program_texts.of(found, _language())
    context = {
        "program": found,
        "offer": offer,
        "ladders": ladders_of(
            found, tiers, {each.tier: each.rates for each in offer.tiers}.__getitem__, at=at
        ),
        "texts": texts,
        "terms": terms_of.for_newcomers(found, at),
        "takes_applications": is_open,
        "closed_until": launching.closed_until(found, at=at),
        "form": None if is_open else form or WaitingForm(),
        "contact": launch_checks.contact_of(found),
        "description": _description(offer.sentence, texts),
        "canonical": absolute(reverse("public:program", args=[found.slug])),
    }
    return render(request, "public/program.html", context, status=status)


def shown(slug: str) -> Program:
    """Return a program strangers may see, or answer 404."""
    return get_object_or_404(Program.objects.listed().select_related("legal_entity"), slug=slug)


def takes_applications(program: Program) -> bool:
    """Tell whether one can apply now."""
    return launching.takes_applications(program, at=timezone.now())


def _rows(at: datetime) -> list[dict[str, Any]]:
    """Return the programs strangers may see, with what each offers and whether it takes applications."""
    listed = list(Program.objects.listed())
    plans = Rulebook.load([program.pk for program in listed])
    credit = attribution_versions.settings_of_all(listed, at=at)
    taking = launching.taking(listed, at=at)
    texts = program_texts.of_all(listed, _language())
    rungs: dict[int, list[Tier]] = {}
    for tier in Tier.objects.filter(program__in=listed).in_use().select_related("program").by_rank():
        rungs.setdefault(tier.program_id, []).append(tier)
    return [
        {
            "program": program,
            "sentence": sentence(
                program,
                _offered(plans, program, at),
                rungs.get(program.pk, []),
                at=at,
                credit=credit[program.pk],
            ),
            "headline": texts[program.pk].headline,
            "takes_applications": program.pk in taking,
            "closed_until": launching.closed_until(program, at=at),
        }
        for program in listed
    ]


def _language() -> str:
    return (get_language() or "en").split("-")[0]


def _description(offered: str, texts: program_texts.Texts) -> str:
    """Return what search engines and link previews show below the name."""
    said = offered or texts.headline.text or texts.who_can_join.text
    return Truncator(" ".join(said.split())).chars(200)


def _offered(plans: Rulebook, program: Program, at: datetime) -> PlanFacts | None:
    """Return the plan in force as strangers may read it, without what was agreed with single partners."""
    plan = plans.plan_for(program.pk, at)
    return None if plan is None else for_strangers(plan)
