"""Decide what each staff role may do. Every door in the product asks here, and a capability nobody holds opens nothing.

Account managers look after partners and never touch money; finance pays and never decides who is a partner or at
what rate; administrators set up the house. The second pair of eyes on a pay run is enforced by the pay run itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.apps import AppConfig, apps
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from prm.accounts.models import User
from prm.lib.errors import Refused

ACCOUNT_MANAGER = "Account manager"
FINANCE = "Finance"
ADMINISTRATOR = "Administrator"
ROLES = (ACCOUNT_MANAGER, FINANCE, ADMINISTRATOR)

ROLE_LABELS: dict[str, Promise] = {
    ACCOUNT_MANAGER: _("Account manager"),
    FINANCE: _("Finance"),
    ADMINISTRATOR: _("Administrator"),
}

_PARTNER_WORK = frozenset(
    {
        "see_applications",
        "decide_applications",
        "place_in_tiers",
        "manage_partners",
        "invite_partners",
        "manage_links",
        "import_conversions",
        "reverse_conversions",
        "correct_credits",
        "pause_payments",
        "answer_disputes",
        "manage_eligibility",
        "manage_prospects",
        "merge_partners",
        "sanction_partners",
        "see_funnel",
        "answer_clause_questions",
        "decide_reviews",
        "confirm_engagement",
        "agree_plans",
        "manage_courses",
        "manage_referrals",
        "decide_risk",
        "import_codes",
    }
)
_MONEY_WORK = frozenset(
    {
        "import_conversions",
        "reverse_conversions",
        "steer_runs",
        "accrue_commissions",
        "adjust_balances",
        "approve_adjustments",
        "pause_payments",
        "answer_disputes",
        "manage_tax",
        "manage_fx",
        "close_periods",
        "issue_statements",
        "prepare_pay_runs",
        "approve_pay_runs",
        "export_pay_runs",
        "settle_pay_runs",
        "see_ledger",
        "see_bank_details_masked",
        "see_payment_methods",
        "confirm_payment_methods",
    }
)
_LOOKING = frozenset(
    {
        "see_partners",
        "see_conversions",
        "see_commissions",
        "see_statements",
        "see_runs",
        "see_disputes",
        "try_plans",
        "see_risk",
        "see_reports",
    }
)
_SETTING_UP = frozenset(
    {
        "manage_programs",
        "manage_program_pages",
        "manage_forms",
        "erase_people",
        "publish_plans",
        "publish_terms",
        "manage_tiers",
        "manage_attribution",
        "manage_tracking",
        "manage_risk",
        "manage_staff",
        "manage_api_keys",
        "see_audit",
        "see_mail",
    }
)

CAPABILITIES: dict[str, frozenset[str]] = {
    ACCOUNT_MANAGER: _LOOKING | _PARTNER_WORK | {"see_mail"},
    FINANCE: _LOOKING | _MONEY_WORK | {"see_audit"},
    ADMINISTRATOR: _LOOKING | _PARTNER_WORK | _MONEY_WORK | _SETTING_UP,
}
ALL_CAPABILITIES: frozenset[str] = frozenset().union(*CAPABILITIES.values())


def _models(app: str, models: str, *actions: str) -> set[str]:
    return {f"{app}.{action}_{model}" for model in models.split() for action in actions}


# What the stock admin may show and change. Whole money tables are "view" for everybody: their rows are moved by
# verbs, which ask `require`. Names of models that do not exist are skipped, and a test says which those are.
_VIEW_EVERYTHING = (
    _models(
        "tiers",
        "program tier plan planversion rule legalentity tierscheme benefit tierbenefit tiertarget",
        "view",
    )
    | _models(
        "partners",
        "partner member membership placement application applicationmessage termsversion acceptance invitation "
        "applicationfile reference formversion recruitinglink programvisit abandoneddraft waitingmailbox programtext eligibilityrule blocked workload "
        "prospect prospecttouch programinvitation counterproposal introduction onboardingstep onboardingmark programresource "
        "amendment clausequestion termsnotice suspension ending "
        "reviewround tierreview appeal tieroverride metricsnapshot certification course lesson staff lessonattempt credential "
        "activity stafffigure businessplan goal checkpoint goalchange planremark",
        "view",
    )
    | _models(
        "referrals",
        "link code click customer conversion conversionline credit pointentry touch referral attributionversion attributionrecord "
        "trackingsettings inlet importmapping",
        "view",
    )
    | _models(
        "payouts", "riskcase riskcaseline risksignal risknote risksettings postback postbackdelivery", "view"
    )
    | _models("runs", "run", "view")
)
_VIEW_MONEY = _models(
    "payouts",
    "commission statement statementline period payrun payrunexception payment paymentfile account transaction entry chainlink paymentmethod numberseries "
    "pause payabledatechange reserve adjustment dispute disputemessage accountsignal payruncheck paymentfiletaken resultfile paymentresult "
    "taxprofile taxform withholding selfbillingmandate invoice fxrate accountcode",
    "view",
)
_KEEP_PARTNERS = _models(
    "partners", "partner member membership application invitation prospect", "change"
) | _models("referrals", "link code", "add", "change")
_SET_UP = (
    _models("tiers", "program tier plan planversion rule legalentity", "add", "change")
    | _models("tiers", "tier planversion rule", "delete")
    | _models("partners", "termsversion", "add", "change")
    | _models("accounts", "user apikey", "add", "change", "view")
    | _models("audit", "auditevent", "view")
    | _models("mail", "outgoingmail", "view")
)

MODEL_PERMISSIONS: dict[str, set[str]] = {
    ACCOUNT_MANAGER: _VIEW_EVERYTHING
    | _KEEP_PARTNERS
    | _models("payouts", "commission statement dispute disputemessage pause", "view")
    | _models("mail", "outgoingmail", "view"),
    FINANCE: _VIEW_EVERYTHING | _VIEW_MONEY | _models("audit", "auditevent", "view"),
    ADMINISTRATOR: _VIEW_EVERYTHING | _VIEW_MONEY | _KEEP_PARTNERS | _SET_UP,
}


class Forbidden(Refused):
    """The person may not do this; the message names the roles that may."""

    message = _("This needs one of these roles: %(roles)s.")

    def __init__(self, capability: str) -> None:
        self.capability = capability
        self.roles = roles_with(capability)
        names = ", ".join(str(ROLE_LABELS[role]) for role in self.roles)
        super().__init__(params={"roles": names or "-", "capability": capability})


def roles_with(capability: str) -> list[str]:
    """Return the roles that hold `capability`, in the order roles are listed."""
    return [role for role in ROLES if capability in CAPABILITIES[role]]


def roles_of(user: AbstractBaseUser | AnonymousUser | None) -> frozenset[str]:
    """Return the staff roles `user` holds; read once and kept on the object for the length of a request."""
    if not isinstance(user, User) or not (user.is_active and user.is_staff):
        return frozenset()
    held: frozenset[str] | None = user.__dict__.get("_staff_roles")
    if held is None:
        held = user.__dict__["_staff_roles"] = roles_held(user)
    return held


def may(user: AbstractBaseUser | AnonymousUser | None, capability: str) -> bool:
    """Say whether `user` may do `capability`. Raises KeyError for a capability the policy does not know."""
    if capability not in ALL_CAPABILITIES:
        raise KeyError(f"Unknown capability {capability!r}.")
    if not isinstance(user, User) or not (user.is_active and user.is_staff):
        return False
    return user.is_superuser or any(capability in CAPABILITIES[role] for role in roles_of(user))


def require(user: AbstractBaseUser | AnonymousUser | None, capability: str) -> None:
    """Let a person through who holds `capability`.

    Raises: Forbidden.
    """
    if not may(user, capability):
        raise Forbidden(capability)


def ensure_groups(using: str = "default") -> None:
    """Make the three staff groups exist with exactly the permissions the policy lists."""
    known = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.using(using).select_related("content_type")
    }
    for role in ROLES:
        group, _created = Group.objects.using(using).get_or_create(name=role)
        group.permissions.set([known[name] for name in sorted(MODEL_PERMISSIONS[role]) if name in known])


def missing_permissions(names: Iterable[str]) -> list[str]:
    """Return the names in `names` that no installed model provides."""
    existing = {
        f"{model._meta.app_label}.{action}_{model._meta.model_name}"
        for model in apps.get_models()
        for action in model._meta.default_permissions
    }
    return sorted(set(names) - existing)


def groups_after_migrate(sender: AppConfig, using: str = "default", **kwargs: Any) -> None:
    """Refresh the groups once, after the last app has its permissions.

    Django makes each app's permissions in its own post-migrate hook, which runs before this one for the same app.
    """
    with_models = [config for config in apps.get_app_configs() if config.models_module is not None]
    if with_models and sender == with_models[-1]:
        ensure_groups(using)


def give_role(user: User, role: str) -> None:
    """Make `user` a member of staff in `role`, beside the roles already held."""
    replace_roles(user, roles_held(user) | {role})


def roles_held(user: User) -> frozenset[str]:
    """Return the roles stored for `user`, whether or not they count at the moment."""
    return frozenset(user.groups.filter(name__in=ROLES).values_list("name", flat=True))


def replace_roles(user: User, roles: Iterable[str]) -> None:
    """Make `roles` the staff roles of `user`; whoever has one is staff, and whoever has none is not."""
    wanted = frozenset(roles)
    if not wanted <= set(ROLES):
        raise ValueError(f"Unknown roles {sorted(wanted - set(ROLES))}.")
    user.groups.remove(*Group.objects.filter(name__in=ROLES).exclude(name__in=wanted))
    for role in sorted(wanted):
        user.groups.add(Group.objects.get_or_create(name=role)[0])
    is_staff = bool(wanted) or user.is_superuser
    if user.is_staff != is_staff:
        user.is_staff = is_staff
        user.save(update_fields=["is_staff"])
    user.__dict__.pop("_staff_roles", None)
