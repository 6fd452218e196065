"""Write the mails to people who are asked to join, to partners who introduce somebody, and to the staff who look after them. Nobody's
contact details stand in a mail to another partner before both have agreed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from partners import mails
from partners.choices import TeamRole
from partners.models import Member
from partners.readers import OWNERS, readers_of
from prm.accounts import policy
from prm.accounts.models import User
from prm.lib.periods import local_day
from prm.mail import outbox

if TYPE_CHECKING:
    from partners.models import (
        CounterProposal,
        Introduction,
        Membership,
        Partner,
        ProgramInvitation,
        Prospect,
    )

STAFF_TOLD = 5  # at most so many, where nobody in particular looks after a partner


def invited(invitation: ProgramInvitation, token: str, *, key: str, answer: str = "") -> None:
    """Send the way in; `answer` is what we say to a counter-proposal."""
    _to_guest("program_invitation", invitation, key=key, token=token, answer=answer)


def reminded(invitation: ProgramInvitation, token: str) -> None:
    """Ask once more, before the link ends."""
    key = f"program-invitation-reminder:{invitation.public_id}:{invitation.sent_at}"
    _to_guest("program_invitation_reminder", invitation, key=key, token=token)


def welcomed(invitation: ProgramInvitation, membership: Membership) -> None:
    """Welcome somebody who accepted, and say how to sign in."""
    outbox.queue(
        "program_invitation_welcome",
        to=invitation.email,
        key=f"program-invitation-welcome:{invitation.public_id}",
        language=invitation.language,
        about=membership.public_id,
        context={
            "name": invitation.full_name,
            "email": invitation.email,
            "program_name": invitation.program.name,
            "tier_name": invitation.tier.name,
            "button_url": mails.sign_in_url(),
            "button_text": _("Sign in"),
        },
    )


def answered(invitation: ProgramInvitation, *, accepted: bool, reason: str = "") -> None:
    """Tell who invited that the guest accepted, or declined and why."""
    _to_person(
        "program_invitation_answered",
        invitation.invited_by,
        key=f"program-invitation-answered:{invitation.public_id}",
        about=invitation.public_id,
        guest=_one_line(invitation.company or invitation.full_name or invitation.email),
        program_name=invitation.program.name,
        accepted=accepted,
        reason=reason,
        button_url=_desk("programinvitation", invitation.pk),
        button_text=_("Open the invitation"),
    )


def fresh_link_wanted(invitation: ProgramInvitation, *, at: datetime) -> None:
    """Tell who invited that the guest came too late and asks for a fresh link; once a day."""
    _to_person(
        "program_invitation_asked",
        invitation.invited_by,
        key=f"program-invitation-asked:{invitation.public_id}:{at:%Y-%m-%d}",
        about=invitation.public_id,
        guest=_one_line(invitation.company or invitation.full_name or invitation.email),
        program_name=invitation.program.name,
        button_url=_desk("programinvitation", invitation.pk),
        button_text=_("Open the invitation"),
    )


def counter_received(counter: CounterProposal, *, to: User, who: str, program: str, path: str) -> None:
    """Pass on what somebody would rather have to the person who proposed."""
    _to_person(
        "counter_received",
        to,
        key=f"counter-received:{counter.public_id}",
        about=counter.public_id,
        who=_one_line(who),
        program_name=program,
        text=counter.text,
        button_url=mails.absolute(path),
        button_text=_("Answer"),
    )


def counter_answered(counter: CounterProposal) -> None:
    """Tell the guest, or the owners of the partner's team, what we answer."""
    invitation, membership = counter.invitation, counter.membership
    shared: dict[str, Any] = {"text": counter.text, "answer": counter.answer}
    if invitation is not None:
        outbox.queue(
            "counter_answered",
            to=invitation.email,
            key=f"counter-answered:{counter.public_id}",
            language=invitation.language,
            about=counter.public_id,
            context={
                **shared,
                "name": invitation.full_name,
                "program_name": invitation.program.name,
                "is_guest": True,
                "button_url": mails.absolute(reverse("public:programs")),
                "button_text": _("See our programs"),
            },
        )
    if membership is not None:
        _to_owners(
            "counter_answered",
            membership.partner,
            key=f"counter-answered:{counter.public_id}",
            about=counter.public_id,
            program_name=membership.program.name,
            is_guest=False,
            button_url=mails.absolute(reverse("portal:rates")),
            button_text=_("See what you earn"),
            **shared,
        )


def somebody_introduced(prospect: Prospect) -> None:
    """Tell who looks after the introducing partner that it brought somebody."""
    if prospect.introducer is None:
        return
    partner = prospect.introducer.partner
    for person in staff_of(partner):
        _to_person(
            "introduction_received",
            person,
            key=f"introduction-received:{prospect.public_id}",
            about=prospect.public_id,
            partner=_one_line(partner.name),
            who=_one_line(prospect.name),
            why=prospect.notes,
            button_url=_desk("prospect", prospect.pk),
            button_text=_("Open the prospect"),
        )


def meeting_wished(partner: Partner, *, text: str, by: User, at: datetime) -> None:
    """Tell who looks after a partner whom it would like to meet."""
    for person in staff_of(partner):
        _to_person(
            "introduction_wished",
            person,
            key=f"introduction-wished:{partner.public_id}:{at.isoformat()}",
            about=partner.public_id,
            partner=_one_line(partner.name),
            who=by.get_full_name(),
            text=text,
            button_url=mails.absolute(f"{reverse('admin:partners_introduction_propose')}?first={partner.pk}"),
            button_text=_("Propose an introduction"),
        )


def meeting_proposed(introduction: Introduction) -> None:
    """Ask the owners of both partners whether they want to meet; each hears the other's name and the reason."""
    pair = ((introduction.first, introduction.second), (introduction.second, introduction.first))
    for partner, other in pair:
        _to_owners(
            "introduction_proposed",
            partner,
            key=f"introduction-proposed:{introduction.public_id}:{partner.public_id}",
            about=introduction.public_id,
            other=_one_line(other.name),
            why=introduction.reason,
            button_url=mails.absolute(reverse("portal:introduction", args=[introduction.public_id])),
            button_text=_("Say yes or no"),
        )


def meeting_made(introduction: Introduction) -> None:
    """Give the owners of both partners each other's names and addresses, now that both have agreed."""
    pair = ((introduction.first, introduction.second), (introduction.second, introduction.first))
    for partner, other in pair:
        _to_owners(
            "introduction_made",
            partner,
            key=f"introduction-made:{introduction.public_id}:{partner.public_id}",
            about=introduction.public_id,
            other=_one_line(other.name),
            why=introduction.reason,
            contacts=contacts_of(other),
            button_url=mails.absolute(reverse("portal:introduction", args=[introduction.public_id])),
            button_text=_("See the introduction"),
        )


def contacts_of(partner: Partner) -> list[tuple[str, str]]:
    """Return name and address of each owner of a partner, its own when nobody signs in."""
    owners = Member.objects.current().filter(partner=partner, role=TeamRole.OWNER, user__is_active=True)
    found = [
        (owner.user.get_full_name(), owner.user.email)
        for owner in owners.select_related("user").order_by("pk")
    ]
    return found or [(partner.name, partner.email)]


def staff_of(partner: Partner) -> list[User]:
    """Return who looks after a partner; some of those who look after partners when nobody does."""
    manager = partner.account_manager
    if manager is not None and manager.is_active and policy.may(manager, "manage_prospects"):
        return [manager]
    anybody = User.objects.filter(
        Q(groups__name=policy.ACCOUNT_MANAGER) | Q(is_superuser=True), is_staff=True, is_active=True
    )
    return list(anybody.distinct().order_by("pk")[:STAFF_TOLD])


def _to_guest(kind: str, invitation: ProgramInvitation, *, key: str, token: str, answer: str = "") -> None:
    program = invitation.program
    until = local_day(invitation.expires_at, program.zone)
    outbox.queue(
        kind,
        to=invitation.email,
        key=key,
        language=invitation.language,
        about=invitation.public_id,
        context={
            "name": invitation.full_name,
            "inviter": invitation.invited_by.get_full_name(),
            "program_name": program.name,
            "message": invitation.message,
            "answer": answer,
            "until": mails.day_words(until, invitation.language),
            "button_url": mails.absolute(reverse("public:invited", args=[token])),
            "button_text": _("Read the invitation"),
        },
    )


def _to_person(kind: str, person: User, *, key: str, about: str, **context: Any) -> None:
    if not person.is_active:
        return
    outbox.queue(
        kind,
        to=person.email,
        key=f"{key}:{person.pk}",
        language=person.language,
        about=about,
        context={"name": person.get_full_name(), **context},
    )


def _to_owners(kind: str, partner: Partner, *, key: str, about: str, **context: Any) -> None:
    readers: Iterable[Any] = readers_of(partner, OWNERS)
    for reader in readers:
        outbox.queue(
            kind,
            to=reader.email,
            key=f"{key}:{reader.email.casefold()}",
            language=reader.language,
            about=about,
            context={"name": reader.name, "partner": partner.name, **context},
        )


def _one_line(text: str) -> str:
    """Return a name without the line breaks that no subject may have."""
    return " ".join(text.split())


def _desk(table: str, pk: int) -> str:
    return mails.absolute(reverse(f"admin:partners_{table}_change", args=[pk]))
