"""Who: applications, partners and their people, memberships and where they stand."""

from partners.models.application import Application, ApplicationMessage
from partners.models.member import Invitation, Member
from partners.models.membership import Membership
from partners.models.partner import Partner
from partners.models.placement import Placement
from partners.models.terms import Acceptance, TermsVersion

__all__ = [
    "Acceptance",
    "Application",
    "ApplicationMessage",
    "Invitation",
    "Member",
    "Membership",
    "Partner",
    "Placement",
    "TermsVersion",
]
