"""Team: who may sign in for the partner and what each may do. Only owners change it, everybody may leave, and the last owner stays."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partners import team as team_verbs
from partners.choices import TeamRole
from partners.models import Invitation, Member
from portal import roles
from portal.forms import InviteForm, RoleForm
from portal.rooms import Room, enter, refuse, show
from portal.views.answers import explain_refusal
from portal.views.pages import InvitationRow, MemberRow
from prm.lib.errors import Refused
from prm.lib.periods import local_day


@require_safe
@enter()
def team(request: HttpRequest, room: Room) -> HttpResponse:
    """List the team and the invitations under way."""
    members = list(_members(room).select_related("user").order_by("joined_at", "pk"))
    may_manage = room.may(roles.MANAGE_TEAM)
    owners = [member for member in members if member.role == TeamRole.OWNER]
    return show(
        request,
        room,
        "portal/team/team.html",
        nav="team",
        members=[_member_row(member, room, is_last_owner=owners == [member]) for member in members],
        invitations=[_invitation_row(each, room) for each in _invitations(room)] if may_manage else [],
        may_manage=may_manage,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@enter(roles.MANAGE_TEAM)
def invite(request: HttpRequest, room: Room) -> HttpResponse:
    """Invite a person."""
    form = InviteForm(request.POST or None, initial={"role": TeamRole.READ_ONLY.value})
    if request.method == "POST" and form.is_valid():
        try:
            invitation, _token = team_verbs.invite(
                room.partner, by=room.user, at=room.at, **form.cleaned_data
            )
        except Refused as refusal:
            explain_refusal(form, refusal)
        else:
            messages.success(
                request, _("We have sent an invitation to %(email)s.") % {"email": invitation.email}
            )
            return redirect("portal:team")
    return _form_page(request, room, "portal/team/invite.html", form)


@require_http_methods(["GET", "HEAD", "POST"])
@enter(roles.MANAGE_TEAM)
def change_role(request: HttpRequest, room: Room, public_id: str) -> HttpResponse:
    """Give a team member another role."""
    member = get_object_or_404(_members(room).select_related("user", "partner"), public_id=public_id)
    form = RoleForm(request.POST or None, initial={"role": member.role})
    if request.method == "POST" and form.is_valid():
        try:
            team_verbs.change_role(member, role=form.cleaned_data["role"], by=room.user, at=room.at)
        except Refused as refusal:
            explain_refusal(form, refusal)
        else:
            messages.success(
                request, _("The role of %(person)s is changed.") % {"person": member.user.get_full_name()}
            )
            return redirect("portal:team")
    return _form_page(
        request,
        room,
        "portal/team/role.html",
        form,
        person=member.user.get_full_name(),
        is_you=member.user_id == room.user.pk,
        is_last_owner=team_verbs.is_last_owner(member),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@enter()
def remove(request: HttpRequest, room: Room, public_id: str) -> HttpResponse:
    """Say what it means that a person leaves the team, then do it."""
    member = get_object_or_404(_members(room).select_related("user", "partner"), public_id=public_id)
    is_you = member.user_id == room.user.pk
    if not is_you and not room.may(roles.MANAGE_TEAM):
        return refuse(request, room, roles.MANAGE_TEAM)
    error = ""
    if request.method == "POST":
        try:
            team_verbs.remove(member, by=room.user, at=room.at)
        except Refused as refusal:
            error = str(refusal)
        else:
            text = _("%(person)s is no longer in the team.") % {"person": member.user.get_full_name()}
            messages.success(request, text)
            return redirect("portal:home" if is_you else "portal:team")
    context = {
        "person": member.user.get_full_name(),
        "is_you": is_you,
        "error": error,
        "is_last_owner": team_verbs.is_last_owner(member),
    }
    status = 422 if error else 200
    return show(request, room, "portal/team/remove.html", nav="team", status=status, **context)


@require_POST
@enter(roles.MANAGE_TEAM)
def renew_invitation(request: HttpRequest, room: Room, public_id: str) -> HttpResponse:
    """Mail an invitation once more with a fresh link."""
    invitation = get_object_or_404(Invitation.objects.filter(partner=room.partner), public_id=public_id)
    try:
        renewed, _token = team_verbs.renew(invitation, by=room.user, at=room.at)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        text = _("%(email)s gets a new mail. Its link works for 7 days, the one before no longer.")
        messages.success(request, text % {"email": renewed.email})
    return redirect("portal:team")


@require_POST
@enter(roles.MANAGE_TEAM)
def withdraw_invitation(request: HttpRequest, room: Room, public_id: str) -> HttpResponse:
    """Make an invitation useless."""
    invitation = get_object_or_404(Invitation.objects.filter(partner=room.partner), public_id=public_id)
    try:
        team_verbs.withdraw(invitation, by=room.user, at=room.at)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(
            request, _("The invitation to %(email)s is withdrawn.") % {"email": invitation.email}
        )
    return redirect("portal:team")


def _members(room: Room) -> Any:
    return Member.objects.current().filter(partner=room.partner)


def _invitations(room: Room) -> Any:
    waiting = Invitation.objects.filter(partner=room.partner, accepted_at=None, withdrawn_at=None)
    return waiting.order_by("-invited_at", "-pk")


def _member_row(member: Member, room: Room, *, is_last_owner: bool) -> MemberRow:
    role = TeamRole(member.role)
    is_you = member.user_id == room.user.pk
    may_manage = room.may(roles.MANAGE_TEAM)
    return MemberRow(
        name=member.user.get_full_name(),
        email=member.user.email,
        role=str(role.label),
        role_help=str(roles.EXPLAINED[role.value]),
        joined=local_day(member.joined_at, room.zone),
        last_seen=local_day(member.user.last_login, room.zone)
        if may_manage and member.user.last_login
        else None,
        is_you=is_you,
        is_last_owner=is_last_owner,
        change_href=reverse("portal:team_role", args=[member.public_id])
        if may_manage and not is_last_owner
        else "",
        remove_href=reverse("portal:team_remove", args=[member.public_id])
        if (may_manage or is_you) and not is_last_owner
        else "",
    )


def _invitation_row(invitation: Invitation, room: Room) -> InvitationRow:
    return InvitationRow(
        name=invitation.full_name,
        email=invitation.email,
        role=str(TeamRole(invitation.role).label),
        invited=local_day(invitation.invited_at, room.zone),
        expires=local_day(invitation.expires_at, room.zone),
        is_expired=invitation.expires_at <= room.at,
        renew_href=reverse("portal:team_renew", args=[invitation.public_id]),
        withdraw_href=reverse("portal:team_withdraw", args=[invitation.public_id]),
    )


def _form_page(
    request: HttpRequest, room: Room, template: str, form: RoleForm, **context: Any
) -> HttpResponse:
    status = 422 if form.errors else 200
    return show(request, room, template, nav="team", status=status, form=form, **context)
