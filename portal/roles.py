"""What each role of a partner's team may do in the portal. Roles open rooms and never widen which partner's rows are seen."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from partners.choices import TeamRole

LOOK = "look"
MANAGE_LINKS = "manage_links"
SEE_STATEMENTS = "see_statements"
SEE_PAYMENT_DETAILS = "see_payment_details"
CHANGE_PAYMENT_DETAILS = "change_payment_details"
MANAGE_TEAM = "manage_team"
CHANGE_PROFILE = "change_profile"
TICK_STEPS = "tick_steps"
ANSWER_PROPOSALS = "answer_proposals"
ASK_QUESTIONS = "ask_questions"
ACCEPT_TERMS = "accept_terms"
INTRODUCE = "introduce"
MANAGE_STAFF = "manage_staff"
LEARN = "learn"
TELL_ACTIVITIES = "tell_activities"
AGREE_PLANS = "agree_plans"
APPEAL = "appeal"

_MONEY = frozenset({SEE_STATEMENTS, SEE_PAYMENT_DETAILS})
_SELLING = frozenset(
    {LOOK, MANAGE_LINKS, ASK_QUESTIONS, TICK_STEPS, INTRODUCE, LEARN, TELL_ACTIVITIES, MANAGE_STAFF}
)

ALLOWED: dict[str, frozenset[str]] = {
    TeamRole.OWNER.value: _MONEY
    | {LOOK, MANAGE_LINKS, CHANGE_PAYMENT_DETAILS, MANAGE_TEAM, ANSWER_PROPOSALS, ASK_QUESTIONS}
    | {CHANGE_PROFILE, TICK_STEPS, ACCEPT_TERMS, INTRODUCE}
    | {MANAGE_STAFF, LEARN, TELL_ACTIVITIES, AGREE_PLANS, APPEAL},
    TeamRole.FINANCE.value: _MONEY | {LOOK, CHANGE_PAYMENT_DETAILS, ASK_QUESTIONS, TICK_STEPS, LEARN},
    TeamRole.MARKETING.value: _SELLING,
    TeamRole.SALES.value: _SELLING,
    TeamRole.READ_ONLY.value: _MONEY | {LOOK, LEARN},
}

EXPLAINED: dict[str, Promise] = {
    TeamRole.OWNER.value: _("Everything, including the team"),
    TeamRole.FINANCE.value: _("Earnings, statements and payment details"),
    TeamRole.MARKETING.value: _("Links, codes and earnings"),
    TeamRole.SALES.value: _("Links, codes and earnings"),
    TeamRole.READ_ONLY.value: _("Looks at everything, changes nothing"),
}


def may(role: str, capability: str) -> bool:
    """Say whether a team member in `role` may do `capability`."""
    return capability in ALLOWED[role]


def roles_with(capability: str) -> list[TeamRole]:
    """Return the roles that hold `capability`, in the order roles are listed."""
    return [role for role in TeamRole if capability in ALLOWED[role.value]]
