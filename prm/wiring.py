"""Every reaction of one app to the news of another, on one page. A reaction only nudges: a sweep finds whatever was missed."""

from __future__ import annotations

from partners import (
    checklists,
    erasing,
    introductions_merging,
    launch_checks,
    launching,
    leaving,
    merging,
    metrics,
    onboarding_steps,
    personal_sections,
    profiles,
    requirement_names,
    tier_places,
)
from partners.application_forms import offer_words
from partners.business_plans import metrics as plan_metrics
from partners.business_plans import personal_data as plans_data
from partners.certification import merging as staff_merging
from partners.certification import metrics as certification_metrics
from partners.certification import personal_data as certification_data
from partners.choices import EndingKind, OnboardingKind
from partners.engagement import metrics as engagement_metrics
from partners.engagement import personal_data as engagement_data
from partners.events import (
    ApplicationCounts,
    MembershipApproved,
    MembershipEnded,
    PlacementChanged,
    TermsAccepted,
    TermsOverdue,
    TermsPublished,
)
from partners.tier_reviews import snapshots
from partners.tier_reviews.rounds import RUN_KIND as TIER_REVIEW
from partners.tier_reviews.what_if import RUN_KIND as WHAT_IF
from payouts import dry_runs, settlement, tier_outlooks
from payouts import erasure as payouts_erasure
from payouts import launch_check as launch_check_of_payments
from payouts import merging as money_merging
from payouts import onboarding_steps as steps_of_money
from payouts import personal_data as payouts_data
from payouts.months import RUN_KIND as MONTH_CLOSE
from payouts.pay_runs.job import RUN_KIND as PAY_RUN
from payouts.results.jobs import RUN_KIND as BANK_RESULTS
from payouts.tax import asked_again
from portal.offer_sentence import sentence_of
from prm.lib.bell import ring_now
from prm.lib.events import subscribe
from prm.runs import notices, registry
from prm.runs.lifecycle import RunEnded
from referrals import admin_import_result
from referrals import erasure as referrals_erasure
from referrals import goal_metrics as goals_of_plans
from referrals import launch_check as launch_check_of_links
from referrals import merging as links_merging
from referrals import onboarding_steps as steps_of_links
from referrals import personal_data as referrals_data
from referrals import requirement_names as names_of_referrals
from referrals import tier_metrics as metrics_of_sales
from referrals.events import AttributionPublished, ConversionsAttributed
from referrals.imports import RUN_KIND as SALES_IMPORT
from referrals.surroundings import surroundings
from tiers import findings, scheme_lint
from tiers.events import PlanVersionPublished

SOON_COUNTED = 20  # conversions


def rate_new_credits(event: ConversionsAttributed) -> None:
    """Ring the worker that computes commission for conversions just attributed."""
    ring_now("payouts.accrue", conversion_ids=list(event.conversion_ids))


subscribe(ConversionsAttributed, rate_new_credits)  # sweep: payouts.sweep_accruals


def watch_new_credits(event: ConversionsAttributed) -> None:
    """Ring the worker that looks whether conversions just attributed look wrong."""
    ring_now("payouts.watch_conversions", conversion_ids=list(event.conversion_ids))


subscribe(ConversionsAttributed, watch_new_credits)  # sweep: payouts.watch_risk, every quarter of an hour


def count_days_again(event: ConversionsAttributed) -> None:
    """Ring the worker that keeps daily figures; a batch of many waits for its round, and does not ring with each part."""
    if len(event.conversion_ids) <= SOON_COUNTED:
        ring_now("payouts.count_days")


subscribe(ConversionsAttributed, count_days_again)  # sweep: payouts.count_days, every 15 seconds


def earn_points(event: ConversionsAttributed) -> None:
    """Ring the worker that writes the points conversions just attributed earn toward tiers."""
    ring_now("referrals.earn_points", conversion_ids=list(event.conversion_ids))


subscribe(ConversionsAttributed, earn_points)  # sweep: referrals.sweep_points


def tell_partners_servers(event: ConversionsAttributed) -> None:
    """Ring the worker that calls partners' servers about conversions just attributed."""
    ring_now("payouts.tell_postbacks", conversion_ids=list(event.conversion_ids))


subscribe(ConversionsAttributed, tell_partners_servers)  # sweep: payouts.sweep_postbacks


def welcome_new_membership(event: MembershipApproved) -> None:
    """Ring the worker that makes a new membership's first link and code."""
    ring_now("referrals.welcome", membership_id=event.membership_id)


subscribe(MembershipApproved, welcome_new_membership)  # sweep: referrals.sweep


def see_to_application(event: ApplicationCounts) -> None:
    """Ring the worker that asks the rules about an application and gives it to an account manager."""
    ring_now("partners.receive_application", application_id=event.application_id)


subscribe(ApplicationCounts, see_to_application)  # sweep: partners.sweep_applications


def follow_applied_prospect(event: ApplicationCounts) -> None:
    """Ring the worker that moves a prospect on who has applied."""
    ring_now("partners.follow_prospects", application_id=event.application_id)


def follow_joined_prospect(event: MembershipApproved) -> None:
    """Ring the worker that moves a prospect on who has joined."""
    ring_now("partners.follow_prospects", membership_id=event.membership_id)


subscribe(ApplicationCounts, follow_applied_prospect)  # sweep: partners.follow_prospects
subscribe(MembershipApproved, follow_joined_prospect)  # sweep: partners.follow_prospects


def tell_members_of_version(event: PlanVersionPublished) -> None:
    """Ring the worker that writes to the members whom a new version concerns."""
    ring_now("partners.tell_of_version", version_id=event.version_id)


subscribe(PlanVersionPublished, tell_members_of_version)  # sweep: partners.sweep


def tell_members_of_attribution(event: AttributionPublished) -> None:
    """Ring the worker that writes to the members of a program whose rules of credit change."""
    ring_now("referrals.tell_of_attribution", version_id=event.version_id)


subscribe(AttributionPublished, tell_members_of_attribution)  # sweep: referrals.sweep
registry.register(SALES_IMPORT, "referrals.import_file")
registry.learn_address(SALES_IMPORT, admin_import_result.address)
registry.register(MONTH_CLOSE, "payouts.close_month")
registry.register(dry_runs.RUN_KIND, "payouts.dry_run")
registry.register(snapshots.RUN_KIND, "partners.take_snapshots")
registry.register(TIER_REVIEW, "partners.carry_out_review")
registry.register(WHAT_IF, "partners.what_if")
registry.register(BANK_RESULTS, "payouts.import_results")
registry.register(PAY_RUN, "payouts.compute_pay_run")

findings.learn_from(surroundings)
profiles.learn_keeper("vat_number", asked_again.keeps_vat_number)
merging.learn_mover(money_merging.move, foretell=money_merging.foretell, hinders=money_merging.in_the_way)
checklists.learn_step(OnboardingKind.TERMS, onboarding_steps.terms)
checklists.learn_step(OnboardingKind.PROFILE, onboarding_steps.profile)
checklists.learn_step(OnboardingKind.TEAM, onboarding_steps.team)
checklists.learn_step(OnboardingKind.BANK, steps_of_money.bank)
checklists.learn_step(OnboardingKind.TAX, steps_of_money.tax)
checklists.learn_step(OnboardingKind.FIRST_LINK, steps_of_links.first_link)
merging.learn_mover(links_merging.move, foretell=links_merging.foretell)
merging.learn_mover(introductions_merging.move, foretell=introductions_merging.foretell)

subscribe(RunEnded, notices.tell_starter)  # no sweep: the run itself says how it ended

leaving.learn_settlement(settlement.sentences)


def hold_money_of_a_ban(event: MembershipEnded) -> None:
    """Ring the worker that stops the payments of a banned partner until finance has decided."""
    if event.kind == EndingKind.BANNED:
        ring_now("payouts.hold_for_finance", membership_id=event.membership_id)


subscribe(MembershipEnded, hold_money_of_a_ban)  # sweep: payouts.release_due, every hour


def ask_members_for_terms(event: TermsPublished) -> None:
    """Ring the worker that asks members to accept terms that were published."""
    ring_now("partners.ask_for_terms", version_id=event.version_id)


def see_to_payments_for_terms(event: TermsOverdue | TermsAccepted) -> None:
    """Ring the worker that lets payments wait for terms, or lets them go on."""
    ring_now("payouts.pause_for_terms", membership_id=event.membership_id)


def ask_for_terms_of_tier(event: PlacementChanged) -> None:
    """Ring the worker that asks who moved for the terms of the tier, and releases it from those of the one before."""
    ring_now("partners.ask_for_terms_of_tier", membership_id=event.membership_id)


subscribe(PlacementChanged, ask_for_terms_of_tier)  # sweep: partners.keep_terms, every hour
subscribe(TermsPublished, ask_members_for_terms)  # sweep: partners.sweep
subscribe(TermsOverdue, see_to_payments_for_terms)  # sweep: payouts.release_due, every hour
subscribe(TermsAccepted, see_to_payments_for_terms)  # sweep: payouts.release_due, every hour

launch_checks.learn()
tier_places.learn()
launching.learn_check("destination", launch_check_of_links.destination)
launching.learn_check("payment_file", launch_check_of_payments.payment_file)

offer_words.learn_sentence(sentence_of)

metrics_of_sales.learn()

requirement_names.learn()
names_of_referrals.learn()
scheme_lint.learn_metrics(metrics.known, metrics.begins)

personal_sections.learn()
referrals_data.learn()
payouts_data.learn()
erasing.learn()
referrals_erasure.learn()
payouts_erasure.learn()

certification_metrics.learn()
certification_data.learn()
merging.learn_mover(staff_merging.move, foretell=staff_merging.foretell)
engagement_metrics.learn()
engagement_data.learn()
plan_metrics.learn()
plans_data.learn()
goals_of_plans.learn()

tier_outlooks.learn()
