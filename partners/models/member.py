"""The people of a partner who sign in, and the invitations that bring them. A person has one open place at a partner."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from partners.choices import TeamRole
from prm.lib.constraints import one_of, only_one_open, set_together
from prm.lib.db import Lockable
from prm.lib.fields import PublicIdField


class MemberQuerySet(Lockable["Member"]):
    def current(self) -> MemberQuerySet:
        return self.filter(ended_at=None)


class Member(models.Model):
    public_id = PublicIdField(prefix="mbr")
    partner = models.ForeignKey("partners.Partner", models.PROTECT, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="partner_places")
    role = models.CharField(_("role"), max_length=12, choices=TeamRole.choices, default=TeamRole.READ_ONLY)
    joined_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = MemberQuerySet.as_manager()

    class Meta:
        verbose_name = _("team member")
        verbose_name_plural = _("team members")
        constraints = [
            only_one_open("partner", "user", until="ended_at", name="partners_member_one_open"),
            one_of("role", TeamRole, name="partners_member_role"),
            set_together("ended_at", "ended_by", name="partners_member_ended_pair"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} at {self.partner_id} as {self.role}"


class Invitation(models.Model):
    """A way in for one mailbox, once, until it expires. Only the hash of the token is kept."""

    public_id = PublicIdField(prefix="inv")
    partner = models.ForeignKey("partners.Partner", models.PROTECT, related_name="invitations")
    email = models.EmailField(_("e-mail"))
    email_folded = models.CharField(max_length=254, editable=False)
    full_name = models.CharField(_("name"), max_length=120, blank=True)
    role = models.CharField(_("role"), max_length=12, choices=TeamRole.choices, default=TeamRole.READ_ONLY)
    token_sha256 = models.CharField(max_length=64, unique=True, editable=False)
    invited_at = models.DateTimeField()
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = [
            one_of("role", TeamRole, name="partners_invitation_role"),
            set_together("accepted_at", "accepted_by", name="partners_invitation_accepted_pair"),
            models.UniqueConstraint(
                fields=["partner", "email_folded"],
                condition=models.Q(accepted_at=None, withdrawn_at=None),
                name="partners_invitation_one_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email} to {self.partner_id}"
