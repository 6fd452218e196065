"""What a program needs before it opens, as far as its terms, plan, form, page and material tell. Each check says what it found and leads to
where it is mended."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from partners import program_texts
from partners import terms as terms_of
from partners.launching import Check, CheckState, learn_check
from partners.models import FormVersion, OnboardingStep, ProgramResource
from prm.lib.errors import Refused
from prm.lib.money import Money, exponent
from tiers import trial
from tiers.engine.compute import prepare
from tiers.engine.facts import BESIDE, SALE, Event, PlanFacts, Standing
from tiers.models import Program, Tier

_OK, _WARNING, _MISSING = CheckState.OK, CheckState.WARNING, CheckState.MISSING


def learn() -> None:
    """Register the checks of this module, in the order a person would go through them."""
    for key, reader in (
        ("terms", terms),
        ("plan", plan),
        ("sales", sales_earn),
        ("tiers", tiers),
        ("form", form),
        ("page", page),
        ("contact", contact),
        ("listed", listed),
        ("resources", resources),
        ("onboarding", onboarding),
    ):
        learn_check(key, reader)


def terms(program: Program, at: datetime) -> Check:
    """Look for terms to accept: complete, published and in force."""
    title, url = gettext_lazy("Terms"), _table("partners_termsversion", program)
    version = terms_of.for_newcomers(program, at)
    if version is not None:
        said = _("Version %(number)s is in force, with all its sections.") % {"number": version.number}
        return Check(_OK, title, said, url)
    if terms_of.published(program).exists():
        return Check(_MISSING, title, _("They are published, but not in force yet."), url)
    return Check(_MISSING, title, _("None is published. All mandatory sections must say something."), url)


def plan(program: Program, at: datetime) -> Check:
    """Look for a plan in force."""
    title, url = gettext_lazy("Plan"), _table("tiers_plan", program)
    if trial.facts_in_force(program, at=at) is None:
        return Check(_MISSING, title, _("No version is in force, so nothing would be paid."), url)
    return Check(_OK, title, _("A version is published and in force."), url)


def sales_earn(program: Program, at: datetime) -> Check:
    """Look whether every successful sale earns something, in every tier."""
    title, url = gettext_lazy("Incentive for every sale"), _table("tiers_plan", program)
    found = trial.facts_in_force(program, at=at)
    if found is None:
        return Check(_WARNING, title, _("Seen once a plan is in force."), url)
    empty = [tier.name for tier in _tiers(program) if not _pays_for_a_sale(program, found, tier, at)]
    if empty:
        said = _("An order without anything special earns nothing in: %(tiers)s.")
        return Check(_WARNING, title, said % {"tiers": ", ".join(empty)}, url)
    return Check(_OK, title, _("An order like any other earns something in every tier."), url)


def tiers(program: Program, at: datetime) -> Check:
    """Look for a tier newcomers can be placed in."""
    title, url = gettext_lazy("Tiers"), _program_url(program)
    count = len(_tiers(program))
    if not count:
        return Check(_MISSING, title, _("There is none, so nobody can be approved."), url)
    said = ngettext("There is %(count)s tier.", "There are %(count)s tiers.", count) % {"count": count}
    return Check(_OK, title, said, url)


def form(program: Program, at: datetime) -> Check:
    """Look whether the application form can be asked."""
    from partners.application_forms import definition, standard

    title, url = gettext_lazy("Application form"), _table("partners_formversion", program)
    own = FormVersion.objects.in_use().filter(program=program).first()
    try:
        asked = definition.read(own.definition) if own else standard.standard_for(program)
    except Refused as refusal:
        return Check(_MISSING, title, str(refusal), url)
    count = len(asked.questions)
    said = (
        ngettext(
            "Version %(number)s asks %(count)s question.",
            "Version %(number)s asks %(count)s questions.",
            count,
        )
        if own is not None and not own.is_standard
        else ngettext(
            "The standard form asks %(count)s question.", "The standard form asks %(count)s questions.", count
        )
    )
    return Check(_OK, title, said % {"number": own.number if own else 0, "count": count}, url)


def page(program: Program, at: datetime) -> Check:
    """Look whether the program page says who can join."""
    title = gettext_lazy("Who can join")
    url = reverse("admin:partners_program_page", args=[program.pk, program_texts.FALLBACK])
    if program_texts.of(program, "en").who_can_join:
        return Check(_OK, title, _("The program page says it."), url)
    return Check(_MISSING, title, _("The program page does not say it."), url)


def contact(program: Program, at: datetime) -> Check:
    """Look for an address applicants can write to."""
    title = gettext_lazy("Contact")
    known = contact_of(program)
    if known:
        return Check(_OK, title, known, _program_url(program))
    return Check(
        _MISSING, title, _("Neither the program nor its legal entity has an address."), _program_url(program)
    )


def listed(program: Program, at: datetime) -> Check:
    """Look whether strangers can find the program page."""
    title, url = gettext_lazy("Program page"), _program_url(program)
    if program.is_public:
        return Check(_OK, title, _("It is listed publicly."), url)
    return Check(_WARNING, title, _("It is not listed publicly: only invited people can join."), url)


def resources(program: Program, at: datetime) -> Check:
    """Look for something partners can sell with: sales material, product information, training."""
    title, url = gettext_lazy("Resources"), _table("partners_programresource", program)
    count = ProgramResource.objects.filter(program=program, removed_at=None).count()
    if not count:
        said = _("There are none. Partners need material or training from the first day.")
        return Check(_MISSING, title, said, url)
    said = ngettext("%(count)s is there.", "%(count)s are there.", count) % {"count": count}
    return Check(_OK, title, said, url)


def onboarding(program: Program, at: datetime) -> Check:
    """Look for first steps a new partner is shown."""
    title, url = gettext_lazy("First steps"), _table("partners_onboardingstep", program)
    count = OnboardingStep.objects.filter(program=program, removed_at=None).count()
    if not count:
        return Check(_WARNING, title, _("New partners are shown no checklist."), url)
    said = ngettext("The checklist has %(count)s step.", "The checklist has %(count)s steps.", count)
    return Check(_OK, title, said % {"count": count}, url)


def contact_of(program: Program) -> str:
    """Return the address for questions about a program, nothing when there is none."""
    return program.contact_email or program.legal_entity.contact_email


def _tiers(program: Program) -> list[Tier]:
    return list(Tier.objects.filter(program=program).in_use().by_rank())


def _pays_for_a_sale(program: Program, found: PlanFacts, tier: Tier, at: datetime) -> bool:
    amount = Money(100 * 10 ** exponent(program.currency), program.currency)
    sale = Event(key="launch", kind=SALE, occurred_at=at, amount=amount)
    chosen = prepare(found).select(sale, Standing(tier.key, tier.name))[0]
    return any(rule.kind not in BESIDE for rule in chosen)


def _program_url(program: Program) -> str:
    return reverse("admin:tiers_program_change", args=[program.pk])


def _table(name: str, program: Program) -> str:
    """Return the rows of a table of the back office that belong to a program."""
    return f"{reverse(f'admin:{name}_changelist')}?program__id__exact={program.pk}"
