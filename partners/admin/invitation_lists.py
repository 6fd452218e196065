"""Inviting many at once in the back office: the list is read and shown with what would become of each row, and carried out from a page that
says what happens. Nothing is mailed before that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from partners import invitation_lists as lists
from partners import pasted_lists
from partners.admin.forms_outreach import InvitationListForm
from prm.accounts.back_office import BackOfficeAdmin, attempt, person, require
from tiers.models import Program, Tier

if TYPE_CHECKING:
    Desk = BackOfficeAdmin
else:
    Desk = object

CAPABILITY = "invite_partners"
_SALT = "partners.admin.invitation_list"
_VALID_SECONDS = 24 * 3600


class ListPages(Desk):
    """The pages that invite many, beside the table of invitations."""

    def list_urls(self) -> list[URLPattern]:
        """Return the addresses of these pages."""
        wrap = self.admin_site.admin_view
        both = require_http_methods(["GET", "POST"])
        return [
            path("list/", wrap(both(self.list_page)), name="partners_programinvitation_list"),
            path(
                "list/send/", wrap(require_POST(self.send_list)), name="partners_programinvitation_list_send"
            ),
        ]

    def list_page(self, request: HttpRequest) -> HttpResponse:
        """Take a list, and show what would become of each row."""
        require(request, CAPABILITY)
        form = InvitationListForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            rows = attempt(request, lambda: lists.parse(_text(form)), form=form)
            if rows is not None:
                return self._look(request, form, rows)
        return self.page(
            request,
            "admin/partners/invitation/list.html",
            title=_("Invite a list"),
            status=422 if form.errors else 200,
            form=form,
            back_url=reverse("admin:partners_programinvitation_changelist"),
        )

    def send_list(self, request: HttpRequest) -> HttpResponse:
        """Carry out what was shown, row by row."""
        require(request, CAPABILITY)
        again = HttpResponseRedirect(reverse("admin:partners_programinvitation_list"))
        try:
            kept = signing.loads(request.POST.get("list", ""), salt=_SALT, max_age=_VALID_SECONDS)
        except signing.BadSignature:
            messages.error(request, _("This page is too old. Give the list again."))
            return again
        program, tier = Program.objects.get(pk=kept["program"]), Tier.objects.get(pk=kept["tier"])
        rows = [lists.Row(**row) for row in kept["rows"]]
        by, at = person(request), timezone.now()
        done = attempt(
            request,
            lambda: lists.invite_all(
                program,
                rows,
                tier=tier,
                language=kept["language"],
                message=kept["message"],
                addendum=kept["addendum"],
                by=by,
                at=at,
            ),
        )
        return again if done is None else self._done(request, done)

    def _look(self, request: HttpRequest, form: InvitationListForm, rows: list[lists.Row]) -> HttpResponse:
        given = form.cleaned_data
        program, tier = given["program"], given["tier"]
        found = lists.check(program, rows)
        count = sum(each.outcome == lists.Outcome.NEW for each in found)
        kept: dict[str, Any] = {
            "program": program.pk,
            "tier": tier.pk,
            "language": given["language"],
            "message": given["message"],
            "addendum": given["addendum"],
            "rows": [vars(row) for row in rows],
        }
        verb = ngettext("Send %(count)s invitation", "Send %(count)s invitations", count)
        return self.page(
            request,
            "admin/partners/invitation/list_look.html",
            title=_("Check the list"),
            program=program,
            found=found,
            count=count,
            kept=signing.dumps(kept, salt=_SALT, compress=True),
            verb=verb % {"count": count},
            consequences=_consequences(program, tier, count, len(found) - count),
            parent=_("Invite a list"),
            parent_url=reverse("admin:partners_programinvitation_list"),
        )

    def _done(self, request: HttpRequest, done: lists.Sent) -> HttpResponse:
        text = ngettext(
            "%(count)s invitation is on its way.", "%(count)s invitations are on their way.", done.invited
        )
        messages.success(request, text % {"count": done.invited})
        if not done.refused:
            return HttpResponseRedirect(reverse("admin:partners_programinvitation_changelist"))
        return self.page(
            request,
            "admin/partners/invitation/list_done.html",
            title=_("Who was not invited"),
            refused=done.refused,
            back_url=reverse("admin:partners_programinvitation_changelist"),
        )


def _text(form: InvitationListForm) -> str:
    upload = form.cleaned_data.get("file")
    if upload is None:
        return str(form.cleaned_data["text"])
    if upload.size > pasted_lists.MOST_BYTES:
        raise pasted_lists.TooLarge
    return pasted_lists.read_file(upload.read())


def _consequences(program: Program, tier: Tier, new: int, others: int) -> list[str]:
    mails = ngettext(
        "%(count)s mailbox gets a mail with a link that works for 30 days.",
        "%(count)s mailboxes get a mail each, with a link that works for 30 days.",
        new,
    )
    told = [
        mails % {"count": new},
        _("Each who accepts is a member of %(program)s in the %(tier)s tier at once.")
        % {"program": program.name, "tier": tier.name},
    ]
    if others:
        left = ngettext(
            "%(count)s row is left out, for the reason beside it.",
            "%(count)s rows are left out, for the reasons beside them.",
            others,
        )
        told.append(left % {"count": others})
    return told
