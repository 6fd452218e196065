"""The navigation of the back office: groups in the order of the work, each entry shown to those who may open it. Counts say what waits
for the reader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from partners import clause_questions, counters
from partners.business_plans import finding as plans_finding
from partners.choices import ActivityState, CredentialState
from partners.models import Activity, Application, Credential, TierReview
from partners.tier_reviews import waiting as tiers_waiting
from payouts import pauses
from payouts.choices import AdjustmentState, DisputeState, PayRunState
from payouts.models import Adjustment, Dispute, PayRun
from payouts.risk import queue as risk_queue
from payouts.tax import asked_again
from prm.accounts import policy
from prm.accounts.models import User


@dataclass(frozen=True)
class Item:
    label: str | Promise
    url: str
    count: int = 0
    current: bool = False


@dataclass(frozen=True)
class Group:
    label: str | Promise
    items: tuple[Item, ...]


@dataclass(frozen=True)
class _Entry:
    label: str | Promise
    view: str
    capability: str = ""
    count: Callable[[User], int] | None = None
    covers: tuple[str, ...] = ()  # further tables whose pages belong to this entry


def applications_waiting(user: User) -> int:
    """Count the applications staff can act on now."""
    return Application.objects.visible_to(user).waiting_for_us().order_by().count()


def questions_waiting(user: User) -> int:
    """Count the questions of partners that wait for an answer."""
    return Dispute.objects.filter(state=DisputeState.OPENED).count()


def clause_questions_waiting(user: User) -> int:
    """Count the questions about terms that wait for an answer."""
    if not policy.may(user, "answer_clause_questions"):
        return 0
    return clause_questions.waiting().order_by().count()


def tier_reviews_waiting(user: User) -> int:
    """Count the cases of tier reviews in which staff have to do something."""
    if not policy.may(user, "decide_reviews"):
        return 0
    return TierReview.objects.filter(tiers_waiting.for_us(at=timezone.now())).count()


def counters_waiting(user: User) -> int:
    """Count the counter-proposals nobody has answered."""
    return counters.waiting().order_by().count() if policy.may(user, "manage_prospects") else 0


def activities_waiting(user: User) -> int:
    """Count the activities of partners nobody has confirmed or declined."""
    if not policy.may(user, "confirm_engagement"):
        return 0
    return Activity.objects.filter(state=ActivityState.WAITING).count()


def proofs_waiting(user: User) -> int:
    """Count the certificates handed in as proof that nobody has checked."""
    if not policy.may(user, "manage_courses"):
        return 0
    return Credential.objects.filter(state=CredentialState.WAITING).count()


def checkpoints_due(user: User) -> int:
    """Count the checkpoints of business plans that are due or come within a week."""
    if not policy.may(user, "agree_plans"):
        return 0
    return plans_finding.checkpoints_due(today=timezone.localdate()).order_by().count()


def runs_to_approve(user: User) -> int:
    """Count the pay runs somebody else prepared and nobody has approved."""
    if not policy.may(user, "approve_pay_runs"):
        return 0
    return PayRun.objects.filter(state=PayRunState.CHECKED).exclude(prepared_by=user).count()


def pauses_overdue(user: User) -> int:
    """Count the pauses somebody should have looked at by now."""
    if not policy.may(user, "pause_payments"):
        return 0
    return pauses.overdue(at=timezone.now()).count()


def risk_waiting(user: User) -> int:
    """Count the cases about risk nobody has decided, and the signals besides them that are more than a hint."""
    if not policy.may(user, "decide_risk"):
        return 0
    return risk_queue.cases_open() + risk_queue.signals_waiting()["waiting"]


def adjustments_to_approve(user: User) -> int:
    """Count the adjustments somebody else proposed and nobody has decided on."""
    if not policy.may(user, "approve_adjustments"):
        return 0
    return Adjustment.objects.filter(state=AdjustmentState.PROPOSED).exclude(proposed_by=user).count()


def taxes_to_confirm(user: User) -> int:
    """Count the partners whose country or legal name is newer than their tax details."""
    return len(asked_again.everybody(at=timezone.now()))


_GROUPS: tuple[tuple[str | Promise, tuple[_Entry, ...]], ...] = (
    (
        _("Work"),
        (
            _Entry(_("Today"), "index"),
            _Entry(
                _("Applications"), "partners_application_changelist", "see_applications", applications_waiting
            ),
            _Entry(_("Questions"), "payouts_dispute_changelist", "see_disputes", questions_waiting),
            _Entry(
                _("Questions about terms"),
                "partners_clausequestion_changelist",
                "see_partners",
                clause_questions_waiting,
            ),
            _Entry(_("Tier reviews"), "partners_tierreview_changelist", "see_partners", tier_reviews_waiting),
            _Entry(
                _("Counter-proposals"),
                "partners_counterproposal_changelist",
                "manage_prospects",
                counters_waiting,
            ),
            _Entry(
                _("Risk"),
                "payouts_riskcase_changelist",
                "see_risk",
                risk_waiting,
                covers=("payouts_risksignal_changelist",),
            ),
            _Entry(_("Pauses"), "payouts_pause_changelist", "see_commissions", pauses_overdue),
            _Entry(_("Conversions"), "referrals_conversion_changelist", "see_conversions"),
            _Entry(_("Customers"), "referrals_customer_changelist", "see_conversions"),
            _Entry(_("Deals, leads and introductions"), "referrals_touch_changelist", "see_conversions"),
            _Entry(_("Import sales"), "referrals_conversion_import", "import_conversions"),
            _Entry(_("Jobs"), "runs_run_changelist", "see_runs"),
        ),
    ),
    (
        _("Balances"),
        (
            _Entry(_("Commissions"), "payouts_commission_changelist", "see_commissions"),
            _Entry(_("Adjustments"), "payouts_adjustment_changelist", "see_ledger", adjustments_to_approve),
            _Entry(_("Longer holds"), "payouts_reserve_changelist", "see_ledger"),
            _Entry(_("Promises kept"), "payouts_promises", "see_ledger"),
        ),
    ),
    (
        _("Closing and paying"),
        (
            _Entry(_("Months"), "payouts_period_changelist", "see_ledger"),
            _Entry(_("Statements"), "payouts_statement_changelist", "see_statements"),
            _Entry(_("Invoices"), "payouts_invoice_changelist", "see_statements"),
            _Entry(_("Pay runs"), "payouts_payrun_changelist", "see_ledger", runs_to_approve),
            _Entry(_("Payments"), "payouts_payment_changelist", "see_ledger"),
            _Entry(_("Bank results"), "payouts_resultfile_changelist", "see_ledger"),
            _Entry(
                _("Payment methods"),
                "payouts_paymentmethod_changelist",
                "see_payment_methods",
                covers=("payouts_accountsignal_changelist",),
            ),
        ),
    ),
    (
        _("Books and taxes"),
        (
            _Entry(_("Ledger"), "payouts_account_changelist", "see_ledger"),
            _Entry(_("Accounting"), "payouts_accountcode_changelist", "see_ledger"),
            _Entry(_("Accrual pack"), "payouts_accrual_pack", "see_ledger"),
            _Entry(
                _("Taxes"),
                "payouts_taxprofile_changelist",
                "manage_tax",
                taxes_to_confirm,
                covers=(
                    "payouts_taxform_changelist",
                    "payouts_withholding_changelist",
                    "payouts_selfbillingmandate_changelist",
                ),
            ),
            _Entry(_("Exchange rates"), "payouts_fxrate_changelist", "manage_fx"),
        ),
    ),
    (
        _("Partners"),
        (
            _Entry(_("Partners"), "partners_partner_changelist", "see_partners"),
            _Entry(_("Memberships"), "partners_membership_changelist", "see_partners"),
            _Entry(
                _("Tier board"),
                "partners_tier_board",
                "see_partners",
                covers=("partners_tieroverride_changelist", "partners_reviewround_changelist"),
            ),
            _Entry(_("Business plans"), "partners_businessplan_changelist", "see_partners", checkpoints_due),
            _Entry(
                _("Onboarding"),
                "partners_onboarding",
                "see_partners",
                covers=("partners_onboardingstep_changelist",),
            ),
            _Entry(_("Resources"), "partners_programresource_changelist", "see_partners"),
            _Entry(
                _("Activities"),
                "partners_activity_changelist",
                "see_partners",
                activities_waiting,
                covers=("partners_stafffigure_changelist",),
            ),
            _Entry(
                _("Credentials"),
                "partners_credential_changelist",
                "see_partners",
                proofs_waiting,
                covers=("partners_staff_changelist",),
            ),
            _Entry(_("Prospects"), "partners_prospect_changelist", "manage_prospects"),
            _Entry(_("Invitations"), "partners_programinvitation_changelist", "invite_partners"),
            _Entry(_("Introductions"), "partners_introduction_changelist", "manage_prospects"),
            _Entry(
                _("Plans and rules"),
                "tiers_plan_changelist",
                "try_plans",
                covers=("tiers_planversion_changelist",),
            ),
            _Entry(_("Try an order"), "payouts_simulator", "try_plans"),
            _Entry(_("Dry runs"), "payouts_dryrun_changelist", "try_plans"),
            _Entry(_("Eligibility rules"), "partners_eligibilityrule_changelist", "see_applications"),
            _Entry(_("Blocked"), "partners_blocked_changelist", "see_applications"),
            _Entry(_("Workloads"), "partners_workload_changelist", "see_applications"),
            _Entry(_("Links"), "referrals_link_changelist", "see_partners"),
            _Entry(_("Codes"), "referrals_code_changelist", "see_partners"),
            _Entry(_("Reports"), "payouts_dailytotal_changelist", "see_reports"),
        ),
    ),
    (
        _("Set up"),
        (
            _Entry(_("Programs"), "tiers_program_changelist", "see_partners"),
            _Entry(_("What tiers ask"), "tiers_tierscheme_changelist", "see_partners"),
            _Entry(_("How credit is given"), "referrals_attributionversion_changelist", "see_partners"),
            _Entry(_("Recruiting links"), "partners_recruitinglink_changelist", "see_partners"),
            _Entry(_("Funnel"), "partners_funnel", "see_funnel"),
            _Entry(
                _("Terms"),
                "partners_termsversion_changelist",
                "see_partners",
                covers=("partners_amendment_changelist",),
            ),
            _Entry(_("Certifications"), "partners_certification_changelist", "see_partners"),
            _Entry(_("Application forms"), "partners_formversion_changelist", "see_partners"),
            _Entry(_("Legal entities"), "tiers_legalentity_changelist", "manage_programs"),
            _Entry(_("Staff and roles"), "accounts_user_changelist", "manage_staff"),
            _Entry(_("API keys"), "accounts_apikey_changelist", "manage_api_keys"),
            _Entry(_("Inlets"), "referrals_inlet_changelist", "manage_tracking"),
            _Entry(_("Requests of persons"), "partners_persons", "erase_people"),
            _Entry(_("Mail log"), "mail_outgoingmail_changelist", "see_mail"),
            _Entry(_("Audit log"), "audit_auditevent_changelist", "see_audit"),
        ),
    ),
)


def groups(request: HttpRequest) -> list[Group]:
    """Return the groups the person may see, with the entry of the page being shown marked."""
    user = request.user
    if not isinstance(user, User):
        return []
    shown = [
        Group(label, tuple(_item(entry, user) for entry in entries if _may(user, entry.capability)))
        for label, entries in _GROUPS
    ]
    return _marked([group for group in shown if group.items], request.path)


def _item(entry: _Entry, user: User) -> Item:
    return Item(entry.label, reverse(f"admin:{entry.view}"), entry.count(user) if entry.count else 0)


def _covered() -> dict[str, str]:
    """Return the addresses that belong to an entry without being below it, with the entry's own."""
    entries = [entry for _label, entries in _GROUPS for entry in entries]
    return {
        reverse(f"admin:{view}"): reverse(f"admin:{entry.view}") for entry in entries for view in entry.covers
    }


def _may(user: User, capability: str) -> bool:
    return not capability or policy.may(user, capability)


def _marked(found: list[Group], path: str) -> list[Group]:
    """Mark the entry whose address is the longest beginning of `path`; the front page only when it is shown itself."""
    home = reverse("admin:index")
    meant = {**{item.url: item.url for group in found for item in group.items}, **_covered()}
    matching = [url for url in meant if (path == url if url == home else path.startswith(url))]
    here = meant.get(max(matching, key=len, default=""), "")
    return [
        replace(group, items=tuple(replace(item, current=item.url == here) for item in group.items))
        for group in found
    ]
