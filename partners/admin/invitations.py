"""Invitations into programs in the back office: one at a time or from a list, prepared or mailed at once, with own rates and an addendum.
What the guest would read stands beside what can be done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from partners import invitations
from partners.admin.applications import history_of
from partners.admin.forms import ProposalForm
from partners.admin.forms_outreach import PREPARE, SEND, AnswerForm, InvitationForm, InvitationTextForm
from partners.admin.invitation_lists import ListPages
from partners.choices import InvitationState
from partners.invitation_rows import proposed, versions_of
from partners.models import ProgramInvitation, Prospect
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    Fact,
    Panel,
    add_panels,
    attempt,
    link_to,
    locale,
    person,
    require,
    row_url,
    state_column,
    when_column,
)
from prm.accounts.models import User
from prm.lib import l10n
from prm.lib.periods import local_day
from tiers.choices import VersionState
from tiers.models import PlanVersion

CAPABILITY = "invite_partners"
_FIELDS = ("full_name", "company", "email", "language", "message", "addendum")


@admin.register(ProgramInvitation)
class ProgramInvitationAdmin(ListPages, BackOfficeAdmin):
    """Invitations, the newest first."""

    section = gettext_lazy("Invitations")
    sees = adds = CAPABILITY
    change_list_template = "admin/partners/invitation/change_list.html"
    list_display = (
        "guest",
        state_column("program_invitation", gettext_lazy("state")),
        "program",
        "tier",
        "invited_by",
        when_column("sent_at", gettext_lazy("mailed")),
    )
    list_filter = ("state", "program", ("invited_by", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("program", "tier", "invited_by")
    search_fields = ("email_folded", "full_name", "company", "public_id")
    search_help_text = gettext_lazy("Address, name, company or id")
    ordering = ("-invited_at", "-pk")

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that invite, and what the page of one invitation does."""
        wrap = self.admin_site.admin_view
        both = require_http_methods(["GET", "POST"])
        moves: list[tuple[str, Callable[..., HttpResponse]]] = [
            ("send", require_POST(self.send)),
            ("withdraw", both(self.withdraw)),
            ("edit", both(self.edit)),
            ("draft_terms", require_POST(self.draft_terms)),
            ("propose_terms", require_POST(self.propose_terms)),
            ("withdraw_terms", require_POST(self.withdraw_terms)),
        ]
        return [
            path("add/", wrap(both(self.add_page)), name="partners_programinvitation_add"),
            *self.list_urls(),
            *(
                path(f"<int:pk>/{name}/", wrap(view), name=f"partners_programinvitation_{name}")
                for name, view in moves
            ),
            *super().get_urls(),
        ]

    @admin.display(description=gettext_lazy("guest"), ordering="company")
    def guest(self, invitation: ProgramInvitation) -> str:
        """Return who is invited, with the address under it."""
        name = invitation.company or invitation.full_name or invitation.email
        return format_html('{}<span class="sub">{}</span>', name, invitation.email)

    def add_page(self, request: HttpRequest) -> HttpResponse:
        """Invite one person, now or later."""
        require(request, CAPABILITY)
        prospect = Prospect.objects.filter(public_id=request.GET.get("prospect", "")).first()
        form = InvitationForm(request.POST or None, initial=_from(prospect))
        if request.method == "POST" and form.is_valid():
            made = self._invite(request, form, prospect)
            if made is not None:
                return HttpResponseRedirect(row_url(made))
        return self.page(
            request,
            "admin/partners/invitation/form.html",
            title=_("Invite into a program"),
            status=422 if form.errors else 200,
            form=form,
            is_new=True,
            back_url=reverse("admin:partners_programinvitation_changelist"),
            send=SEND,
            prepare=PREPARE,
        )

    def _invite(
        self, request: HttpRequest, form: InvitationForm, prospect: Prospect | None
    ) -> ProgramInvitation | None:
        given, by, at = dict(form.cleaned_data), person(request), timezone.now()
        guest = invitations.Guest(**{name: given[name] for name in _FIELDS})
        do = invitations.prepare if request.POST.get("do") == PREPARE else invitations.invite
        made = attempt(
            request,
            lambda: do(given["program"], guest=guest, tier=given["tier"], by=by, at=at, prospect=prospect),
            form=form,
        )
        if made is not None:
            said = (
                _("The invitation is prepared. Nobody is told before you send it.")
                if made.sent_at is None
                else _("The invitation is on its way.")
            )
            messages.success(request, said)
        return made

    def row_page(self, request: HttpRequest, object_id: str | None) -> HttpResponse | None:
        """Show one invitation."""
        if object_id is None:
            return None
        return self._row(request, self._found(request, object_id))

    def send(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Mail it, under a new link."""
        invitation, by, at = self._found(request, pk), person(request), timezone.now()
        if attempt(request, lambda: invitations.send(invitation, by=by, at=at)) is not None:
            messages.success(request, _("The invitation is on its way, with a new link."))
        return HttpResponseRedirect(row_url(invitation))

    def withdraw(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say what withdrawing means, and do it."""
        invitation, by, at = self._found(request, pk), person(request), timezone.now()
        if request.method == "POST":
            if attempt(request, lambda: invitations.withdraw(invitation, by=by, at=at)) is not None:
                messages.success(request, _("The invitation is withdrawn."))
            return HttpResponseRedirect(row_url(invitation))
        return self.page(
            request,
            "admin/confirm.html",
            title=_("Withdraw the invitation"),
            parent=_name(invitation),
            parent_url=row_url(invitation),
            verb=_("Withdraw the invitation"),
            consequences=[
                _("The link stops working. Whoever opens it can ask for a fresh one, which goes to you."),
                _("No mail is sent."),
            ],
        )

    def edit(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Change what it says, as long as nobody can be reading it."""
        invitation = self._found(request, pk)
        name, url = _name(invitation), row_url(invitation)
        form = InvitationTextForm(request.POST or None, instance=invitation)
        if request.method == "POST" and form.is_valid():
            values, by, at = dict(form.cleaned_data), person(request), timezone.now()
            row = ProgramInvitation(pk=pk)
            done = attempt(request, lambda: invitations.change(row, by=by, at=at, **values), form=form)
            if done is not None:
                messages.success(request, _("Saved."))
                return HttpResponseRedirect(url)
        return self.page(
            request,
            "admin/partners/invitation/form.html",
            title=_("Change the invitation"),
            status=422 if form.errors else 200,
            form=form,
            parent=name,
            parent_url=url,
            back_url=url,
        )

    def draft_terms(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Begin own rates and go to where rules are written."""
        invitation, by, at = self._found(request, pk), person(request), timezone.now()
        draft = attempt(request, lambda: invitations.begin_terms(invitation, by=by, at=at))
        return HttpResponseRedirect(row_url(invitation) if draft is None else row_url(draft))

    def propose_terms(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Put the own rates into the invitation."""
        invitation, by, now = self._found(request, pk), person(request), timezone.now()
        get_object_or_404(versions_of(invitation), state=VersionState.DRAFT)
        form = ProposalForm(request.POST, program=invitation.program)
        if form.is_valid():
            begins = form.effective_at(now=now)
            done = attempt(
                request,
                lambda: invitations.propose_terms(invitation, effective_at=begins, by=by, at=now),
                form=form,
            )
            if done is not None:
                messages.success(request, _("The guest reads these rates beside the standard ones."))
                return HttpResponseRedirect(row_url(invitation))
        return self._row(request, invitation, terms_form=form)

    def withdraw_terms(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take the own rates out of the invitation."""
        invitation, by, at = self._found(request, pk), person(request), timezone.now()
        get_object_or_404(versions_of(invitation), state=VersionState.PROPOSED)
        if attempt(request, lambda: invitations.withdraw_terms(invitation, by=by, at=at)) is not None:
            messages.success(
                request, _("The own rates are a draft again. The guest reads the standard ones.")
            )
        return HttpResponseRedirect(row_url(invitation))

    def _found(self, request: HttpRequest, pk: int | str) -> ProgramInvitation:
        require(request, CAPABILITY)
        rows = ProgramInvitation.objects.select_related(
            "program", "tier", "invited_by", "membership__partner", "introducer__partner", "prospect"
        )
        return get_object_or_404(rows, pk=pk)

    def _row(
        self, request: HttpRequest, invitation: ProgramInvitation, *, terms_form: ProposalForm | None = None
    ) -> HttpResponse:
        state, sent = InvitationState(invitation.state), invitation.sent_at is not None
        versions = list(versions_of(invitation))
        is_ours = state in (InvitationState.OPEN, InvitationState.COUNTERED, InvitationState.EXPIRED)
        counters = list(invitation.counters.select_related("answered_by").order_by("made_at", "pk"))
        return self.page(
            request,
            "admin/partners/invitation/invitation.html",
            title=_name(invitation),
            status=422 if terms_form is not None else 200,
            invitation=invitation,
            facts=list(_facts(invitation)),
            is_ours=is_ours,
            is_sent=sent,
            may_edit=is_ours and not (sent and state == InvitationState.OPEN),
            counters=counters,
            waiting=next((each for each in counters if each.answered_at is None), None),
            answer_form=AnswerForm(),
            draft=next((each for each in versions if each.state == VersionState.DRAFT), None),
            proposed=proposed(invitation),
            may_publish=policy.may(request.user, "publish_plans"),
            terms_form=terms_form or ProposalForm(program=invitation.program),
            form=terms_form,
            history=history_of(invitation)[::-1],
            consequences=_consequences(invitation, is_sent=sent),
        )


def _consequences(invitation: ProgramInvitation, *, is_sent: bool) -> list[str]:
    told = [
        _("%(email)s gets a mail with a link that works for 30 days.") % {"email": invitation.email},
        _("Accepting makes a membership in the %(tier)s tier at once, without a further decision.")
        % {"tier": invitation.tier.name},
        _("After a week without an answer one reminder is sent."),
    ]
    return [_("The link mailed before stops working."), *told] if is_sent else told


def _facts(invitation: ProgramInvitation) -> Iterator[Fact]:
    zone = invitation.program.zone
    yield Fact(_("E-mail"), invitation.email)
    if invitation.full_name:
        yield Fact(_("Name"), invitation.full_name)
    if invitation.company:
        yield Fact(_("Company"), invitation.company)
    yield Fact(_("Program"), invitation.program.name)
    yield Fact(_("Tier"), invitation.tier.name)
    yield Fact(_("Language"), invitation.get_language_display())
    yield Fact(_("Invited by"), invitation.invited_by.get_full_name())
    if invitation.sent_at is None:
        yield Fact(_("Mailed"), _("Not yet"))
    else:
        sent, until = local_day(invitation.sent_at, zone), local_day(invitation.expires_at, zone)
        note = _("Open until %(date)s") % {"date": l10n.date_text(until, locale())}
        is_open = invitation.state == InvitationState.OPEN
        yield Fact(_("Mailed"), l10n.date_text(sent, locale()), note if is_open else "")
    if invitation.reminded_at is not None:
        yield Fact(_("Reminded"), l10n.date_text(local_day(invitation.reminded_at, zone), locale()))
    if invitation.prospect is not None:
        yield Fact(_("Prospect"), link_to(invitation.prospect, invitation.prospect.name))
    if invitation.introducer is not None:
        partner = invitation.introducer.partner
        yield Fact(_("Introduced by"), link_to(partner, partner.name))
    if invitation.membership is not None:
        partner = invitation.membership.partner
        yield Fact(_("Partner"), link_to(partner, partner.name))


def _name(invitation: ProgramInvitation) -> str:
    return invitation.company or invitation.full_name or invitation.email


def _from(prospect: Prospect | None) -> dict[str, Any]:
    if prospect is None:
        return {}
    names = ("full_name", "company", "email", "language", "program")
    return {name: getattr(prospect, name) for name in names}


def whose_invitation(version: PlanVersion, by: User, at: datetime) -> Iterator[Panel]:
    """Say on a version's page for which guest it is written, with the way to where it is proposed."""
    if not version.member_key or not policy.may(by, CAPABILITY):
        return
    found = ProgramInvitation.objects.filter(membership_key=version.member_key, membership=None).first()
    if found is not None:
        yield Panel(
            title=_("For one invited mailbox only"),
            template="admin/partners/invitation/whose_terms.html",
            context={
                "guest": _name(found),
                "url": row_url(found),
                "is_draft": version.state == VersionState.DRAFT,
            },
        )


add_panels("planversion", whose_invitation)
