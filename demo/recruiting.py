"""How strangers find the demo house and wait at its door: pages, a form, links with visits, applications decided and undecided, the rules and
people that look at them. Everything goes by the product's own verbs, and nobody is written to."""

from __future__ import annotations

from datetime import datetime, timedelta

from demo import form, page_texts
from demo.applicants import DECIDED, LEFT, WAITING, Applicant, apply, fill_in
from demo.people import ACCOUNT_MANAGER, ACCOUNT_MANAGER_TOO, ADMINISTRATOR, PARTNER, PARTNER_CODE
from partners import (
    applications,
    approval,
    assignment,
    blocking,
    eligibility_rules,
    entering,
    recruiting_links,
    references,
)
from partners.choices import Channel, RejectionReason, RuleDecision
from partners.models import Application, Membership, ProgramVisit, RecruitingLink
from prm.lib.periods import local_day
from tiers.models import Program

WEEKS = 6
# Visits on a usual day, by program and link; the empty word is who came by none.
VISITS = {
    ("affiliates", ""): 9,
    ("affiliates", "linkedin-autumn"): 14,
    ("affiliates", "newsletter"): 6,
    ("affiliates", "northwind"): 3,
    ("referrals", ""): 4,
    ("agencies", ""): 3,
    ("agencies", "linkedin-agencies"): 5,
    ("influencers", ""): 7,
    ("distributors", ""): 2,
}
_WEEKDAYS = (120, 110, 100, 105, 90, 45, 40)  # percent of a usual day, from Monday on


def fill(programs: dict[str, Program], *, now: datetime) -> int:
    """Bring in six weeks of recruiting; return how many applications there are of it."""
    begun = now - timedelta(weeks=WEEKS, days=1)
    for program in programs.values():
        page_texts.write(program, at=begun)
    form.publish(programs["affiliates"], at=begun)
    links = _links(programs, at=begun)
    _visits(programs, links, now=now)
    _people_and_rules(programs, at=begun)
    for person in DECIDED:
        _decide(_come(person, programs, links, now=now), now=now)
    for slug, days, steps, link in LEFT:
        somebody = Applicant(
            slug, days, "", f"reader{days}@postbox.example", "+44 20 7946 0699", "", "", "", ""
        )
        fill_in(
            somebody, programs[slug], link=links.get((slug, link)), at=now - timedelta(days=days), steps=steps
        )
    for person in WAITING:
        _go_on(_come(person, programs, links, now=now), now=now)
    _by_phone(programs["referrals"], at=now - timedelta(hours=20))
    return len(DECIDED) + len(WAITING) + 1


def _links(programs: dict[str, Program], *, at: datetime) -> dict[tuple[str, str], RecruitingLink]:
    manager = ACCOUNT_MANAGER.user()
    wanted = (
        ("affiliates", "LinkedIn post, autumn", Channel.LINKEDIN, "linkedin-autumn"),
        ("affiliates", "Newsletter to customers", Channel.EMAIL, "newsletter"),
        ("agencies", "LinkedIn post for agencies", Channel.LINKEDIN, "linkedin-agencies"),
    )
    links = {
        (slug, key): recruiting_links.make(
            programs[slug], name=name, channel=channel, by=manager, at=at, key=key
        )
        for slug, name, channel, key in wanted
    }
    partner = Membership.objects.select_related("program", "partner").get(codes__code=PARTNER_CODE)
    links["affiliates", "northwind"] = recruiting_links.own_link(partner, by=PARTNER.user(), at=at)
    return links


def _visits(
    programs: dict[str, Program], links: dict[tuple[str, str], RecruitingLink], *, now: datetime
) -> None:
    """Write the visits of six weeks at once: each of them alone would be a query."""
    rows = []
    for (slug, word), usual in VISITS.items():
        key = links[slug, word].key if word else ""
        today = local_day(now, programs[slug].zone)
        for age in range(WEEKS * 7, -1, -1):
            day = today - timedelta(days=age)
            growing = 60 + 60 * (WEEKS * 7 - age) // (WEEKS * 7)  # percent: what is posted gets around
            count = usual * _WEEKDAYS[day.weekday()] * growing // 10_000
            if count:
                rows.append(ProgramVisit(program=programs[slug], source_key=key, visited_on=day, count=count))
    ProgramVisit.objects.bulk_create(rows)


def _people_and_rules(programs: dict[str, Program], *, at: datetime) -> None:
    administrator, affiliates = ADMINISTRATOR.user(), programs["affiliates"]
    assignment.set_workload(
        ACCOUNT_MANAGER.user(), most_open=5, takes_new=True, programs=(), by=administrator, at=at
    )
    assignment.set_workload(
        ACCOUNT_MANAGER_TOO.user(),
        most_open=4,
        takes_new=True,
        programs=(programs["influencers"], programs["agencies"], affiliates),
        by=administrator,
        at=at,
    )
    blocking.block(
        kind="domain",
        value="couponflood.example",
        reason="Collects codes and bids on our name.",
        program=None,
        by=administrator,
        at=at,
    )
    rule = eligibility_rules.draft(
        affiliates,
        name="Blocked domains are declined",
        decision=RuleDecision.REJECT,
        conditions=[{"field": "signals", "operator": "has", "value": "blocked_domain"}],
        reason=RejectionReason.REQUIREMENTS_NOT_MET,
        by=administrator,
        at=at,
    )
    eligibility_rules.activate(rule, by=administrator, at=at)
    eligibility_rules.draft(
        affiliates,
        name="Many readers and a reference",
        decision=RuleDecision.APPROVE,
        conditions=[
            {"field": "answers.readers", "operator": "equals", "value": "many"},
            {"field": "references_confirmed", "operator": "at_least", "value": "1"},
        ],
        tier=affiliates.tiers.get(key="silver"),
        by=administrator,
        at=at + timedelta(days=20),
    )


def _come(
    person: Applicant,
    programs: dict[str, Program],
    links: dict[tuple[str, str], RecruitingLink],
    *,
    now: datetime,
) -> Application:
    at = now - timedelta(days=person.days, hours=2)
    link = links.get((person.program, person.link))
    return apply(person, programs[person.program], link=link, at=at)


def _decide(application: Application, *, now: datetime) -> None:
    """Approve or decline what a rule has not decided, two days after it came."""
    if application.decided_at is not None or application.submitted_at is None:
        return
    at = min(application.submitted_at + timedelta(days=2), now)
    manager = application.manager or ACCOUNT_MANAGER.user()
    if application.program.slug == "influencers":
        text = "Your films are lovely; most of them show another wholesaler’s range."
        approval.reject(application, reason=RejectionReason.FIT, note=text, by=manager, at=at)
        return
    approval.approve(application, tier=application.program.tiers.by_rank()[0], by=manager, at=at)


def _go_on(application: Application, *, now: datetime) -> None:
    """Let happen to one application what happens while it waits."""
    manager = application.manager or ACCOUNT_MANAGER.user()
    came = application.submitted_at or now
    match application.email:
        case "marta@prezentownik.example":
            asked = "Do you write the guides yourselves, or do guests? And may we see one from last year?"
            approval.ask_for_more(application, text=asked, by=manager, at=came + timedelta(days=1))
            applications.reply(
                application,
                "Piszemy sami. Przykład: https://prezentownik.example/2025",
                came + timedelta(days=2),
            )
            again = "Thank you. Which months bring you most readers?"
            approval.ask_for_more(application, text=again, by=manager, at=came + timedelta(days=3))
        case "adaeze@brightribbon.example":
            approval.start_review(application, by=manager, at=came + timedelta(days=1))
            for reference in application.references.all():
                references.ask(reference, by=manager, at=came + timedelta(days=1))
        case "ivo@kitelabs.example":
            approval.start_review(application, by=manager, at=came + timedelta(days=4))


def _by_phone(program: Program, *, at: datetime) -> None:
    entering.enter(
        program,
        partnership_type=program.partnership_type,
        cleaned={
            "full_name": "Luca Ferri",
            "email": "luca@ferriconsulting.example",
            "phone": "+39 06 0000 0174",
            "company": "Ferri Consulting",
            "country": "Italy",
            "acquaintance": "adviser",
            "contacts": "Three hotels on the lake that buy welcome presents every spring.",
            "website": "https://ferriconsulting.example",
        },
        files={},
        source="Phone call after the autumn fair",
        language="en",
        by=ACCOUNT_MANAGER_TOO.user(),
        at=at,
    )
