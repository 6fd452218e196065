"""Look whether the links of a program may lead where the program says they do."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partners.launching import Check, CheckState
from prm.lib.errors import Refused
from referrals.links import require_destination
from tiers.models import Program


def destination(program: Program, at: datetime) -> Check:
    """Tell whether the default destination is one a link may have."""
    title = gettext_lazy("Destination of links")
    url = reverse("admin:tiers_program_change", args=[program.pk])
    try:
        require_destination(program.destination_url, program=program)
    except Refused as refusal:
        return Check(CheckState.MISSING, title, str(refusal), url)
    if urlsplit(program.destination_url).scheme != "https":
        return Check(CheckState.WARNING, title, _("It is not encrypted: begin it with https."), url)
    host = urlsplit(program.destination_url).hostname or ""
    return Check(CheckState.OK, title, _("Links lead to %(host)s.") % {"host": host}, url)
