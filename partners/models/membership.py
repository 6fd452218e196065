"""A membership: one partner in one program. It exists only through an approval, an invitation or an import, and there is
one living membership per partner and program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

from partners.choices import MembershipState
from prm.accounts import policy
from prm.lib.constraints import one_of, only_one_open, set_together
from prm.lib.db import Lockable
from prm.lib.fields import PublicIdField

if TYPE_CHECKING:
    from prm.accounts.models import User


class MembershipQuerySet(Lockable["Membership"]):
    def active(self) -> MembershipQuerySet:
        return self.filter(state=MembershipState.ACTIVE)

    def visible_to(self, user: User) -> MembershipQuerySet:
        """Memberships `user` may look into: staff with the capability all, a team member those of the own partners."""
        if policy.may(user, "see_partners"):
            return self
        return self.filter(partner__members__user=user, partner__members__ended_at=None)


class Membership(models.Model):
    public_id = PublicIdField(prefix="mem")
    partner = models.ForeignKey("partners.Partner", models.PROTECT, related_name="memberships")
    program = models.ForeignKey("tiers.Program", models.PROTECT, related_name="memberships")
    application = models.OneToOneField(
        "partners.Application", models.PROTECT, null=True, blank=True, related_name="membership"
    )
    state = models.CharField(
        _("state"), max_length=12, choices=MembershipState.choices, default=MembershipState.ACTIVE
    )
    tags = models.JSONField(_("tags"), default=list, blank=True)
    recruiter = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="recruits", verbose_name=_("recruited by")
    )
    recruited_at = models.DateTimeField(_("recruited since"), null=True, blank=True)
    joined_at = models.DateTimeField(_("joined"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [
            only_one_open("partner", "program", until="ended_at", name="partners_membership_one_open"),
            one_of("state", MembershipState, name="partners_membership_state"),
            models.CheckConstraint(
                condition=models.Q(recruiter=None) | ~models.Q(recruiter=models.F("pk")),
                name="partners_membership_not_its_own_recruit",
            ),
            set_together("recruiter", "recruited_at", name="partners_membership_recruiter_pair"),
        ]

    def __str__(self) -> str:
        return f"{self.partner_id} in {self.program_id}"
