"""The closed lists of the partners app: states and reasons, in the glossary's words."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ApplicationState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    SUBMITTED = "submitted", _("Received")
    IN_REVIEW = "in_review", _("In review")
    INFO_REQUESTED = "info_requested", _("Waiting for the applicant")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Declined")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    EXPIRED = "expired", _("Expired")

    @classmethod
    def undecided(cls) -> tuple[str, ...]:
        return (cls.SUBMITTED.value, cls.IN_REVIEW.value, cls.INFO_REQUESTED.value)


class RejectionReason(models.TextChoices):
    MORE_DETAIL = "more_detail", _("The application needs more detail")
    REQUIREMENTS_NOT_MET = "requirements_not_met", _("The program's requirements are not met")
    FIT = "fit", _("Audience and program do not fit")
    CAPACITY = "capacity", _("The program cannot take more partners now")
    OTHER = "other", _("Another reason")


class MembershipState(models.TextChoices):
    INVITED = "invited", _("Invited")
    ONBOARDING = "onboarding", _("Onboarding")
    ACTIVE = "active", _("Active")
    SUSPENDED = "suspended", _("Suspended")
    ENDED = "ended", _("Left")
    TERMINATED = "terminated", _("Terminated")
    BANNED = "banned", _("Banned")


class TeamRole(models.TextChoices):
    OWNER = "owner", _("Owner")
    FINANCE = "finance", _("Finance")
    MARKETING = "marketing", _("Marketing")
    SALES = "sales", _("Sales")
    READ_ONLY = "read_only", _("Read only")


class TermsState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    PUBLISHED = "published", _("Published")
    SUPERSEDED = "superseded", _("Superseded")
