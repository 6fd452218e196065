"""People we ask to join: prospects with what was said to them, invitations into a program with what is proposed, and introductions of
partners to each other. Nobody's contact details are passed on before both have agreed."""

from __future__ import annotations

from functools import partial

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from partners.choices import Channel, IntroductionState, InvitationState, ProspectStage, TouchKind
from prm.lib import ids
from prm.lib.constraints import one_of, set_together
from prm.lib.db import Lockable
from prm.lib.fields import PublicIdField


class ProspectQuerySet(Lockable["Prospect"]):
    def open(self) -> ProspectQuerySet:
        return self.exclude(stage__in=[ProspectStage.JOINED, ProspectStage.LOST])


class Prospect(models.Model):
    """A possible partner who has not applied yet."""

    public_id = PublicIdField(prefix="pro")
    program = models.ForeignKey(
        "tiers.Program",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="prospects",
        verbose_name=_("program"),
    )
    full_name = models.CharField(_("name"), max_length=120, blank=True)
    company = models.CharField(_("company or creator name"), max_length=140, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    email_folded = models.CharField(max_length=254, blank=True, editable=False)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    website = models.URLField(_("website or channel"), max_length=300, blank=True)
    country = models.CharField(_("country"), max_length=64, blank=True)
    language = models.CharField(_("language"), max_length=5, default="en", choices=settings.LANGUAGES)
    stage = models.CharField(
        _("stage"), max_length=12, choices=ProspectStage.choices, default=ProspectStage.IDENTIFIED
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="prospects",
        verbose_name=_("owner"),
    )
    source = models.CharField(_("source"), max_length=16, choices=Channel.choices, default=Channel.OTHER)
    source_note = models.CharField(_("where exactly"), max_length=140, blank=True)
    customer_reference = models.CharField(
        _("customer"), max_length=100, blank=True, help_text=_("The id at the shop, for customers.")
    )
    next_touch_on = models.DateField(_("next touch"), null=True, blank=True)
    competes_with = models.CharField(
        _("competes or overlaps with"),
        max_length=200,
        blank=True,
        help_text=_("Partners whose customers are the same; they do not recommend each other."),
    )
    notes = models.TextField(_("notes"), max_length=4000, blank=True)
    introducer = models.ForeignKey(
        "partners.Membership",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="introduced_prospects",
        verbose_name=_("introduced by"),
    )
    application = models.ForeignKey(
        "partners.Application", models.SET_NULL, null=True, blank=True, related_name="prospects"
    )
    membership = models.ForeignKey(
        "partners.Membership", models.PROTECT, null=True, blank=True, related_name="prospects"
    )
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    objects = ProspectQuerySet.as_manager()

    class Meta:
        verbose_name = _("prospect")
        verbose_name_plural = _("prospects")
        constraints = [
            one_of("stage", ProspectStage, name="partners_prospect_stage"),
            one_of("source", Channel, name="partners_prospect_source"),
            models.UniqueConstraint(
                fields=["program", "email_folded"],
                condition=~models.Q(email_folded="") & ~models.Q(stage__in=["joined", "lost"]),
                name="partners_prospect_one_open_per_mailbox",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id  # names and addresses can be erased, what audit events say cannot

    @property
    def name(self) -> str:
        """What people call it."""
        return self.company or self.full_name or self.email or self.customer_reference


class ProspectTouch(models.Model):
    """One contact with a prospect."""

    prospect = models.ForeignKey("partners.Prospect", models.CASCADE, related_name="touches")
    kind = models.CharField(_("kind"), max_length=8, choices=TouchKind.choices)
    text = models.TextField(_("what was said"), max_length=2000)
    touched_at = models.DateTimeField()
    touched_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("touch")
        verbose_name_plural = _("touches")
        constraints = [one_of("kind", TouchKind, name="partners_prospecttouch_kind")]

    def __str__(self) -> str:
        return f"{self.kind} with {self.prospect_id}"


class ProgramInvitationQuerySet(Lockable["ProgramInvitation"]):
    def living(self) -> ProgramInvitationQuerySet:
        return self.filter(state__in=InvitationState.living())


class ProgramInvitation(models.Model):
    """A mailbox invited into a program. Own rates proposed with it are plan versions whose `member_key` is `membership_key`, the public
    id the membership will have. It can be prepared before it is mailed. Only the hash of the token is kept."""

    public_id = PublicIdField(prefix="pin")
    program = models.ForeignKey("tiers.Program", models.PROTECT, related_name="program_invitations")
    email = models.EmailField(_("e-mail"))
    email_folded = models.CharField(max_length=254, editable=False)
    full_name = models.CharField(_("name"), max_length=120, blank=True)
    company = models.CharField(_("company or creator name"), max_length=140, blank=True)
    language = models.CharField(_("language"), max_length=5, default="en", choices=settings.LANGUAGES)
    tier = models.ForeignKey("tiers.Tier", models.PROTECT, related_name="+", verbose_name=_("tier"))
    message = models.TextField(_("personal message"), max_length=4000, blank=True)
    addendum = models.TextField(
        _("addendum proposed"),
        max_length=20000,
        blank=True,
        help_text=_("What is agreed beside the program's terms. It becomes an amendment."),
    )
    state = models.CharField(
        _("state"), max_length=12, choices=InvitationState.choices, default=InvitationState.OPEN
    )
    token_sha256 = models.CharField(max_length=64, unique=True, editable=False)
    membership_key = models.CharField(
        max_length=40, unique=True, editable=False, default=partial(ids.public_id, "mem")
    )
    prospect = models.ForeignKey(
        "partners.Prospect", models.PROTECT, null=True, blank=True, related_name="invitations"
    )
    introducer = models.ForeignKey(
        "partners.Membership", models.PROTECT, null=True, blank=True, related_name="introduced_invitations"
    )
    invited_at = models.DateTimeField()
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    sent_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()
    reminded_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    membership = models.OneToOneField(
        "partners.Membership", models.PROTECT, null=True, blank=True, related_name="program_invitation"
    )

    objects = ProgramInvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation into a program")
        verbose_name_plural = _("invitations into programs")
        constraints = [
            one_of("state", InvitationState, name="partners_programinvitation_state"),
            models.UniqueConstraint(
                fields=["program", "email_folded"],
                condition=models.Q(state__in=["open", "countered"]),
                name="partners_programinvitation_one_living",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="accepted")
                | models.Q(membership__isnull=False, answered_at__isnull=False),
                name="partners_programinvitation_accepted_has_membership",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id  # names and addresses can be erased, what audit events say cannot


class CounterProposal(models.Model):
    """What somebody would rather have than what was proposed: to an invitation, or to own terms of a membership."""

    public_id = PublicIdField(prefix="ctr")
    invitation = models.ForeignKey(
        "partners.ProgramInvitation", models.PROTECT, null=True, blank=True, related_name="counters"
    )
    membership = models.ForeignKey(
        "partners.Membership", models.PROTECT, null=True, blank=True, related_name="counters"
    )
    plan_version = models.ForeignKey(
        "tiers.PlanVersion", models.PROTECT, null=True, blank=True, related_name="counters"
    )
    text = models.TextField(_("what they would rather have"), max_length=4000)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Empty: the person invited."),
    )
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    answer = models.TextField(_("our answer"), max_length=4000, blank=True)

    class Meta:
        verbose_name = _("counter-proposal")
        verbose_name_plural = _("counter-proposals")
        constraints = [
            set_together("answered_at", "answered_by", name="partners_counterproposal_answered_pair"),
            models.CheckConstraint(
                condition=models.Q(invitation__isnull=False, membership=None)
                | models.Q(invitation=None, membership__isnull=False),
                name="partners_counterproposal_to_one",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class Introduction(models.Model):
    """Two partners who might work together. Each answers alone; contacts are passed on when both have said yes."""

    public_id = PublicIdField(prefix="itr")
    first = models.ForeignKey("partners.Partner", models.PROTECT, related_name="introductions_as_first")
    second = models.ForeignKey("partners.Partner", models.PROTECT, related_name="introductions_as_second")
    reason = models.TextField(_("why they should meet"), max_length=2000)
    state = models.CharField(
        _("state"), max_length=12, choices=IntroductionState.choices, default=IntroductionState.PROPOSED
    )
    proposed_at = models.DateTimeField()
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    first_agreed_at = models.DateTimeField(null=True, blank=True)
    first_agreed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    second_agreed_at = models.DateTimeField(null=True, blank=True)
    second_agreed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("introduction")
        verbose_name_plural = _("introductions")
        constraints = [
            one_of("state", IntroductionState, name="partners_introduction_state"),
            models.CheckConstraint(
                condition=~models.Q(first=models.F("second")), name="partners_introduction_of_two"
            ),
            set_together("first_agreed_at", "first_agreed_by", name="partners_introduction_first_pair"),
            set_together("second_agreed_at", "second_agreed_by", name="partners_introduction_second_pair"),
            models.CheckConstraint(
                condition=~models.Q(state="introduced")
                | models.Q(first_agreed_at__isnull=False, second_agreed_at__isnull=False),
                name="partners_introduction_both_agreed",
            ),
            models.UniqueConstraint(
                fields=["first", "second"],
                condition=models.Q(state="proposed"),
                name="partners_introduction_one_proposed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_id} and {self.second_id}"
