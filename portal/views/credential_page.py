"""Let anybody check a credential: whose it is, what for, with which partner, from when until when, and whether it was revoked. It says nothing
else, and of somebody who was erased nothing at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from partners.certification import credentials
from partners.certification.days import last_day
from partners.checklists import in_language
from partners.choices import CredentialState
from partners.models import Credential
from prm.lib.periods import local_day


@dataclass(frozen=True)
class CheckedCredential:
    """What the page tells. `state` is valid, expired or revoked."""

    name: str
    certification: str
    partner: str
    valid_from: date
    valid_until: date | None
    state: str
    revoked_on: date | None


@require_safe
@never_cache
def credential(request: HttpRequest, public_id: str) -> HttpResponse:
    """Confirm a credential, or say that there is none."""
    found = (
        Credential.objects.filter(public_id=public_id)
        .filter(state__in=[CredentialState.VALID, CredentialState.REVOKED])
        .exclude(staff__full_name="")  # erased
        .select_related("staff__partner", "certification__program")
        .first()
    )
    if found is None:
        response = render(request, "public/credential.html", {"credential": None}, status=404)
    else:
        response = render(request, "public/credential.html", {"credential": _told(found)})
    # People's names stay out of search engines; who has the address may look.
    response["X-Robots-Tag"] = "noindex, noarchive"
    return response


def _told(found: Credential) -> CheckedCredential:
    zone = found.certification.program.zone
    return CheckedCredential(
        name=found.staff.full_name,
        certification=in_language(found.certification.name),
        partner=found.staff.partner.name,
        valid_from=found.earned_on,
        valid_until=last_day(found),
        state=credentials.state_on(found, local_day(timezone.now(), zone)),
        revoked_on=local_day(found.revoked_at, zone) if found.revoked_at else None,
    )
