"""Keep apart who decides about a partner and who works for it: somebody of the staff who is in a partner's team decides nothing about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from partners.models import Member
from prm.lib.errors import Refused

if TYPE_CHECKING:
    from prm.accounts.models import User


class OwnTeam(Refused):
    message = _("You are in this partner's team: somebody else has to decide.")


def refuse_own(partner_id: int, by: User | None) -> None:
    """Let through who is not in the partner's team; None is the product itself. Raises: OwnTeam."""
    if by is not None and Member.objects.current().filter(partner=partner_id, user=by).exists():
        raise OwnTeam
