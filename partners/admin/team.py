"""The team of a partner, for staff: invite an owner, mail an invitation again, change a role, end a place. The same verbs as in the portal
decide; a team keeps an owner here as well."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from partners import team
from partners.choices import TeamRole
from partners.models import Invitation, Member, Partner
from prm.accounts.back_office import BackOfficeAdmin, attempt, person, require, row_url

if TYPE_CHECKING:
    Desk = BackOfficeAdmin
else:
    Desk = object


class RoleForm(forms.Form):
    """What a team member may do."""

    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=TeamRole.choices, widget=forms.RadioSelect)


class InviteForm(RoleForm):
    """Who is invited."""

    full_name = forms.CharField(label=gettext_lazy("Name"), required=False, max_length=120)
    email = forms.EmailField(label=gettext_lazy("E-mail address"))
    field_order = ("full_name", "email", "role")


class TeamPages(Desk):
    """The pages of a partner's team, beside the table of partners."""

    def team_urls(self) -> list[URLPattern]:
        """Return the addresses of the pages."""
        pages: tuple[tuple[str, Callable[..., HttpResponse], str], ...] = (
            ("<int:pk>/invite/", self.invite, "partners_partner_invite"),
            ("<int:pk>/people/<int:member>/role/", self.change_role, "partners_partner_role"),
            ("<int:pk>/people/<int:member>/end/", self.end_place, "partners_partner_end_place"),
            ("<int:pk>/invitations/<int:invitation>/renew/", self.renew, "partners_partner_renew"),
            ("<int:pk>/invitations/<int:invitation>/withdraw/", self.withdraw, "partners_partner_withdraw"),
        )
        allow = require_http_methods(["GET", "HEAD", "POST"])
        return [
            path(address, self.admin_site.admin_view(allow(view)), name=name) for address, view, name in pages
        ]

    def invite(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Invite a person into the team."""
        partner = self._partner(request, pk)
        form = InviteForm(request.POST or None, initial={"role": TeamRole.OWNER.value})
        if request.method == "POST" and form.is_valid():
            given = form.cleaned_data
            done = attempt(
                request,
                lambda: team.invite(partner, **given, by=person(request), at=timezone.now()),
                form=form,
            )
            if done is not None:
                messages.success(request, _("%(email)s gets an invitation.") % {"email": done[0].email})
                return HttpResponseRedirect(row_url(partner))
        return self._ask(
            request,
            partner,
            form,
            title=_("Invite a person for %(partner)s"),
            verb=_("Send the invitation"),
            consequences=[
                _("They get a mail with a link that works for 7 days and only for this address."),
                _("An owner sees and changes everything of this partner, bank details included."),
                _("The owners and the contact address are told at once of a new owner or finance person."),
                _("Your name stands in the mail and stays on record."),
            ],
        )

    def change_role(self, request: HttpRequest, pk: int, member: int) -> HttpResponse:
        """Give a person another role."""
        partner = self._partner(request, pk)
        whose = self._member(partner, member)
        form = RoleForm(request.POST or None, initial={"role": whose.role})
        if request.method == "POST" and form.is_valid():
            role, by, at = form.cleaned_data["role"], person(request), timezone.now()
            done = attempt(request, lambda: team.change_role(whose, role=role, by=by, at=at), form=form)
            if done is not None:
                messages.success(request, _("The role is changed."))
                return HttpResponseRedirect(row_url(partner))
        return self._ask(
            request,
            partner,
            form,
            title=_("Role of %(person)s at %(partner)s"),
            person_name=whose.user.get_full_name(),
            verb=_("Change the role"),
            consequences=[
                _("It counts from now on. An owner sees and changes everything, bank details included."),
                _("The owners and the contact address are told at once of a new owner or finance person."),
                _("A team needs an owner: the last one keeps that role."),
            ],
        )

    def end_place(self, request: HttpRequest, pk: int, member: int) -> HttpResponse:
        """End a person's place in the team."""
        partner = self._partner(request, pk)
        whose = self._member(partner, member)
        if request.method == "POST":
            by, at = person(request), timezone.now()
            done = attempt(request, lambda: team.remove(whose, by=by, at=at))
            if done is not None:
                messages.success(request, _("The person is no longer in the team."))
            return HttpResponseRedirect(row_url(partner))
        return self._ask(
            request,
            partner,
            None,
            title=_("End the place of %(person)s at %(partner)s"),
            person_name=whose.user.get_full_name(),
            verb=_("End the place"),
            consequences=[
                _("They see nothing of this partner any more, from now on."),
                _("What they did stays in the records. An owner can invite them again."),
                _("A team needs an owner: the place of the last one cannot be ended."),
            ],
        )

    def renew(self, request: HttpRequest, pk: int, invitation: int) -> HttpResponse:
        """Mail an invitation again."""
        partner = self._partner(request, pk)
        row = get_object_or_404(Invitation, pk=invitation, partner=partner)
        if request.method == "POST":
            by, at = person(request), timezone.now()
            if attempt(request, lambda: team.renew(row, by=by, at=at)) is not None:
                messages.success(
                    request, _("A new mail is on its way. The link mailed before stops working.")
                )
        return HttpResponseRedirect(row_url(partner))

    def withdraw(self, request: HttpRequest, pk: int, invitation: int) -> HttpResponse:
        """Make an invitation useless."""
        partner = self._partner(request, pk)
        row = get_object_or_404(Invitation, pk=invitation, partner=partner)
        if request.method == "POST":
            by, at = person(request), timezone.now()
            if attempt(request, lambda: team.withdraw(row, by=by, at=at)) is not None:
                messages.success(request, _("The invitation is withdrawn."))
        return HttpResponseRedirect(row_url(partner))

    def _partner(self, request: HttpRequest, pk: int) -> Partner:
        require(request, "invite_partners")
        return get_object_or_404(Partner, pk=pk, merged_into=None)

    def _member(self, partner: Partner, pk: int) -> Member:
        rows = Member.objects.current().filter(partner=partner).select_related("user", "partner")
        return get_object_or_404(rows, pk=pk)

    def _ask(
        self,
        request: HttpRequest,
        partner: Partner,
        form: forms.Form | None,
        *,
        title: str,
        verb: str,
        consequences: list[str],
        person_name: str = "",
    ) -> HttpResponse:
        values: dict[str, Any] = {"partner": partner.name, "person": person_name}
        return self.page(
            request,
            "admin/confirm.html",
            title=title % values,
            status=422 if form is not None and form.errors else 200,
            parent=partner.name,
            parent_url=row_url(partner),
            form=form,
            errors=bool(form is not None and form.errors),
            verb=verb,
            consequences=consequences,
        )
