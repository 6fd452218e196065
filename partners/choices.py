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


class FormState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    PUBLISHED = "published", _("Published")
    SUPERSEDED = "superseded", _("Superseded")


class ReferenceAnswer(models.TextChoices):
    CONFIRMED = "confirmed", _("Confirmed")
    DENIED = "denied", _("Not confirmed")


class Channel(models.TextChoices):
    """Where a recruiting link is put, and where a prospect comes from."""

    LINKEDIN = "linkedin", _("LinkedIn")
    EMAIL = "email", _("E-mail")
    WEBSITE = "website", _("Website")
    SOCIAL = "social", _("Social network")
    EVENT = "event", _("Event")
    ADVERTISEMENT = "advertisement", _("Advertisement")
    PARTNER = "partner", _("Introduced by a partner")
    CUSTOMER = "customer", _("Customer")
    OTHER = "other", _("Other")


class RuleDecision(models.TextChoices):
    """What an eligibility rule does with an application that meets it."""

    APPROVE = "approve", _("Approve")
    REJECT = "reject", _("Decline")
    FLAG = "flag", _("Leave to a person, with a warning")


class BlockedKind(models.TextChoices):
    DOMAIN = "domain", _("Domain")
    EMAIL = "email", _("E-mail address")
    COUNTRY = "country", _("Country")


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


class SanctionReason(models.TextChoices):
    """Why a membership is suspended, terminated or banned."""

    TERMS_VIOLATION = "terms_violation", _("The terms were broken")
    INAPPROPRIATE_CONTENT = "inappropriate_content", _("Inappropriate content")
    FAKE_TRAFFIC = "fake_traffic", _("Traffic that is not real")
    FRAUD = "fraud", _("Fraud")
    SPAM = "spam", _("Unwanted messages in our name")
    BRAND_ABUSE = "brand_abuse", _("Misuse of our brand")
    TERMS_NOT_ACCEPTED = "terms_not_accepted", _("New terms were not accepted in time")
    INACTIVE = "inactive", _("No activity for a long time")
    PROGRAM_CLOSED = "program_closed", _("The program is closed")
    OWN_WISH = "own_wish", _("The partner wishes to leave")
    MERGED = "merged", _("Joined with another partner that is the same")
    OTHER = "other", _("Another reason")


class EndingKind(models.TextChoices):
    """How a membership ends; each value is the state it ends in."""

    ENDED = "ended", _("Left")
    TERMINATED = "terminated", _("Terminated")
    BANNED = "banned", _("Banned")


class LegalForm(models.TextChoices):
    SOLE_TRADER = "sole_trader", _("Sole trader")
    COMPANY = "company", _("Company")
    PARTNERSHIP = "partnership", _("Partnership of persons")
    ASSOCIATION = "association", _("Association or charity")
    PUBLIC_BODY = "public_body", _("Public body")
    OTHER = "other", _("Other")


class InvitationState(models.TextChoices):
    """States of an invitation into a program."""

    OPEN = "open", _("Waiting for an answer")
    COUNTERED = "countered", _("Answered with a counter-proposal")
    ACCEPTED = "accepted", _("Accepted")
    DECLINED = "declined", _("Declined")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    EXPIRED = "expired", _("Expired")

    @classmethod
    def living(cls) -> tuple[str, ...]:
        return (cls.OPEN.value, cls.COUNTERED.value)


class ProspectStage(models.TextChoices):
    IDENTIFIED = "identified", _("Identified")
    CONTACTED = "contacted", _("Contacted")
    IN_TALKS = "in_talks", _("In talks")
    INVITED = "invited", _("Invited")
    APPLIED = "applied", _("Applied")
    JOINED = "joined", _("Joined")
    LOST = "lost", _("Not pursued")


class TouchKind(models.TextChoices):
    EMAIL = "email", _("E-mail")
    CALL = "call", _("Call")
    MEETING = "meeting", _("Meeting")
    EVENT = "event", _("Event")
    SOCIAL = "social", _("Social network")
    NOTE = "note", _("Note")


class IntroductionState(models.TextChoices):
    """States of an introduction of two partners to each other."""

    PROPOSED = "proposed", _("Waiting for both to agree")
    INTRODUCED = "introduced", _("Introduced")
    DECLINED = "declined", _("Declined")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class OnboardingKind(models.TextChoices):
    """What a step asks for; the product itself sees whether the first six are done."""

    TERMS = "terms", _("Accept the terms")
    PROFILE = "profile", _("Complete the profile")
    BANK = "bank", _("Say where to pay")
    TAX = "tax", _("Give tax details")
    FIRST_LINK = "first_link", _("Use the first link or code")
    TEAM = "team", _("Invite a colleague")
    TRAINING = "training", _("Training")
    CUSTOM = "custom", _("Something else")

    @classmethod
    def by_hand(cls) -> tuple[str, ...]:
        return (cls.TRAINING.value, cls.CUSTOM.value)


class ResourceKind(models.TextChoices):
    GUIDE = "guide", _("Guide")
    LOGO = "logo", _("Logo or image")
    PRODUCT = "product", _("Product information")
    TEXT = "text", _("Text to use")
    TRAINING = "training", _("Training")
    OTHER = "other", _("Other")


class Consequence(models.TextChoices):
    """What happens when a partner does not accept new terms in time."""

    PAYMENTS_WAIT = "payments_wait", _("Payments wait until the terms are accepted")
    SUSPENDED = "suspended", _("The membership is suspended: links and codes earn nothing")


class AmendmentState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    PROPOSED = "proposed", _("Waiting for the partner")
    ACCEPTED = "accepted", _("Accepted")
    DECLINED = "declined", _("Declined")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class TermsSection(models.TextChoices):
    SUMMARY = "summary", _("In plain words")
    PRICING = "pricing", _("Pricing and commission")
    WHAT_COUNTS = "what_counts", _("What counts as a referral")
    HOW_MEASURED = "how_measured", _("How it is measured and tracked")
    SUPPORT = "support", _("Support offered")


class TermsState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    PUBLISHED = "published", _("Published")
    SUPERSEDED = "superseded", _("Superseded")


class RoundKind(models.TextChoices):
    """Why tiers are looked at."""

    PROMOTION = "promotion", _("Promotion")
    DEMOTION = "demotion", _("Regular review")
    ANNIVERSARY = "anniversary", _("Anniversary")
    EXPIRY = "expiry", _("End of a decision by hand")
    BY_HAND = "by_hand", _("Asked for by a person")


class RoundState(models.TextChoices):
    SCHEDULED = "scheduled", _("Scheduled")
    RUNNING = "running", _("Under way")
    FINISHED = "finished", _("Finished")


class ReviewOutcome(models.TextChoices):
    UP = "up", _("Up")
    KEEP = "keep", _("Keep")
    DOWN = "down", _("Down")


class ReviewState(models.TextChoices):
    PROPOSED = "proposed", _("Proposed")
    IN_GRACE = "in_grace", _("In the grace period")
    APPEALED = "appealed", _("Appealed")
    DECIDED = "decided", _("Decided, takes effect later")
    APPLIED = "applied", _("In effect")
    KEPT = "kept", _("Tier kept")
    WAIVED = "waived", _("Waived")
    SHADOW = "shadow", _("For information")
    LAPSED = "lapsed", _("Overtaken")

    @classmethod
    def open(cls) -> tuple[str, ...]:
        return (cls.PROPOSED.value, cls.IN_GRACE.value, cls.APPEALED.value, cls.DECIDED.value)


class AppealState(models.TextChoices):
    OPEN = "open", _("Waiting for an answer")
    GRANTED = "granted", _("Granted")
    REFUSED = "refused", _("Refused")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class OverrideKind(models.TextChoices):
    OVERRIDE = "override", _("Placed by hand")
    WAIVER = "waiver", _("Waiver")


class StaffRole(models.TextChoices):
    """What somebody at a partner does; certifications are asked of roles."""

    SALES = "sales", _("Sales")
    PRESALES = "presales", _("Presales")
    TECHNICAL = "technical", _("Technical")
    SUPPORT = "support", _("Support")
    MARKETING = "marketing", _("Marketing")
    MANAGEMENT = "management", _("Management")
    OTHER = "other", _("Other")


class LessonKind(models.TextChoices):
    TEXT = "text", _("Text")
    VIDEO = "video", _("Video")
    FILE = "file", _("File")
    QUIZ = "quiz", _("Quiz")


class CourseState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    OPEN = "open", _("Open")
    CLOSED = "closed", _("Closed")


class CredentialState(models.TextChoices):
    """`expired` is computed from the day."""

    WAITING = "waiting", _("Proof waits to be checked")
    VALID = "valid", _("Valid")
    REFUSED = "refused", _("Proof not accepted")
    REVOKED = "revoked", _("Revoked")


class CredentialSource(models.TextChoices):
    COURSE = "course", _("By courses")
    PROOF = "proof", _("By a certificate of somebody else")
    GRANTED = "granted", _("Granted by us")


class ActivityKind(models.TextChoices):
    EVENT = "event", _("Event or trade fair")
    CASE_STUDY = "case_study", _("Case study")
    WEBINAR = "webinar", _("Webinar")
    GUEST_ARTICLE = "guest_article", _("Guest article")
    PRESS = "press", _("Press")
    CAMPAIGN = "campaign", _("Joint campaign")
    OTHER = "other", _("Other")


class ActivityState(models.TextChoices):
    WAITING = "waiting", _("Waiting to be confirmed")
    CONFIRMED = "confirmed", _("Confirmed")
    DECLINED = "declined", _("Not counted")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class BusinessPlanState(models.TextChoices):
    OUTLINE = "outline", _("Outline")
    PARTNER_REVIEW = "partner_review", _("With the partner")
    AGREED = "agreed", _("Agreed")
    IN_PROGRESS = "in_progress", _("In progress")
    COMPLETED = "completed", _("Completed")
    WITHDRAWN = "withdrawn", _("Withdrawn")
