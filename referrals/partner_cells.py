"""Find the membership a cell of a list means: by the partner's id, the membership's id or the partner's e-mail address, within one program.
What two partners share names neither."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from partners.choices import MembershipState
from partners.models import Membership
from prm.accounts.emails import fold_email
from tiers.models import Program


@dataclass
class Known:
    """The memberships some cells name, by what they may be called."""

    found: dict[str, set[int]] = field(default_factory=dict)
    rows: dict[int, Membership] = field(default_factory=dict)

    def of(self, cell: str) -> tuple[Membership | None, str]:
        """Return the membership a cell means, or what is wrong with it."""
        pks = self.found.get(fold_email(cell), set())
        living = [self.rows[pk] for pk in sorted(pks) if self.rows[pk].ended_at is None]
        if not cell or not pks:
            return None, _("This program has no partner with this id or e-mail address.")
        if len(living) > 1:
            return None, _("Several partners have this e-mail address. Use the partner's id.")
        if not living or living[0].state != MembershipState.ACTIVE:
            return None, _("This partner is not active in the program.")
        return living[0], ""


def look_up(program: Program, cells: Iterable[str]) -> Known:
    """Return who the cells of a column mean, in one query however many there are."""
    wanted = {fold_email(cell) for cell in cells if cell}
    rows = (
        Membership.objects.filter(program=program)
        .annotate(mail=Lower("partner__email"))
        .filter(Q(partner__public_id__in=wanted) | Q(public_id__in=wanted) | Q(mail__in=wanted))
        .select_related("partner", "program")
    )
    known = Known()
    for row in rows:
        known.rows[row.pk] = row
        for name in (row.public_id, row.partner.public_id, fold_email(row.partner.email)):
            if name:
                known.found.setdefault(name, set()).add(row.pk)
    return known
