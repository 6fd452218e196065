"""Whether a program takes applications: what it still lacks, and the buttons that open and close it. Each says before what it does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from partners import launching
from partners.choices import ApplicationState
from partners.models import Application, WaitingMailbox
from prm.accounts import policy
from prm.accounts.back_office import (
    BackOfficeAdmin,
    Panel,
    add_pages,
    add_panels,
    attempt,
    locale,
    person,
    require,
    row_url,
)
from prm.accounts.models import User
from prm.lib import l10n
from tiers.models import Program


class CloseForm(forms.Form):
    """Until when a program is closed."""

    use_required_attribute = False

    reopens_on = forms.DateField(
        label=gettext_lazy("Applications open again on"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=gettext_lazy("Said on the program page. Empty: no day is said. Nothing opens by itself."),
        error_messages={"invalid": gettext_lazy("Enter a day such as 2027-03-01.")},
    )


class LaunchPage:
    """The page, below the table of programs."""

    def __init__(self, desk: BackOfficeAdmin) -> None:
        self.desk = desk

    def urls(self) -> list[URLPattern]:
        """Return the address of the page."""
        view = self.desk.admin_site.admin_view(require_http_methods(["GET", "HEAD", "POST"])(self.show))
        return [path("<int:pk>/launch/", view, name="partners_launch")]

    def show(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what is there and what is missing, and open or close."""
        require(request, "see_partners")
        program = get_object_or_404(Program.objects.select_related("legal_entity"), pk=pk)
        form = CloseForm(request.POST if request.method == "POST" and program.is_open else None)
        if request.method == "POST":
            require(request, "manage_programs")
            done = self._close(request, program, form) if program.is_open else self._open(request, program)
            if done:
                return HttpResponseRedirect(launch_url(program))
        return self._page(request, program, form)

    def _open(self, request: HttpRequest, program: Program) -> bool:
        by, at = person(request), timezone.now()
        if attempt(request, lambda: launching.open_program(program, by=by, at=at)) is None:
            return False
        messages.success(request, _("%(program)s takes applications now.") % {"program": program.name})
        return True

    def _close(self, request: HttpRequest, program: Program, form: CloseForm) -> bool:
        if not form.is_valid():
            return False
        by, at, day = person(request), timezone.now(), form.cleaned_data["reopens_on"]
        closed = attempt(
            request, lambda: launching.close_program(program, reopens_on=day, by=by, at=at), form=form
        )
        if closed is None:
            return False
        messages.success(request, _("%(program)s is closed.") % {"program": program.name})
        return True

    def _page(self, request: HttpRequest, program: Program, form: CloseForm) -> HttpResponse:
        at = timezone.now()
        checks = launching.checks_of(program, at=at)
        return self.desk.page(
            request,
            "admin/partners/program/launch.html",
            title=_("Applications to %(program)s") % {"program": program.name},
            status=422 if form.errors else 200,
            parent=program.name,
            parent_url=row_url(program),
            program=program,
            state=state_text(program, at),
            checks=checks,
            blocked=[check for check in checks if check.blocks],
            form=form,
            may=policy.may(request.user, "manage_programs"),
            consequences=_if_closed(program) if program.is_open else _if_opened(program),
        )


def launch_url(program: Program) -> str:
    """Return the address of the page of one program."""
    return reverse("admin:partners_launch", args=[program.pk])


def state_text(program: Program, at: datetime) -> str:
    """Say whether a program takes applications, and why not."""
    if launching.takes_applications(program, at=at):
        return _("It takes applications.")
    if program.is_open and launching.full_ones([program]):
        text = _("It is open, and all its %(count)s places are taken. One that becomes free opens it again.")
        return text % {"count": program.most_partners}
    if program.is_open:
        return _("It is open, but there are no terms in force to accept.")
    day = launching.closed_until(program, at=at)
    if day is None:
        return _("It is closed.")
    return _("It is closed until %(day)s.") % {"day": l10n.date_text(day, locale())}


def panel_of(program: Program, by: User, at: datetime) -> Iterator[Panel]:
    """Say on a program's page whether it takes applications and what it lacks."""
    if not policy.may(by, "see_partners"):
        return
    checks = launching.checks_of(program, at=at)
    missing = [check for check in checks if check.state is not launching.CheckState.OK]
    yield Panel(
        title=_("Applications"),
        template="admin/partners/program/_launch_panel.html",
        context={
            "state": state_text(program, at),
            "checks": missing,
            "url": launch_url(program),
            "is_open": program.is_open,
            "may": policy.may(by, "manage_programs"),
            "public_url": reverse("public:program", args=[program.slug]) if program.is_public else "",
        },
    )


def _if_opened(program: Program) -> list[str]:
    waiting = WaitingMailbox.objects.filter(program=program, told_at=None).count()
    told = ngettext(
        "%(count)s mailbox that waits is written to once, and its address is deleted.",
        "%(count)s mailboxes that wait are written to once, and their addresses are deleted.",
        waiting,
    )
    said: list[Any] = [_("Strangers can apply at once, by the program page.")]
    if waiting:
        said.append(told % {"count": waiting})
    if program.most_partners is not None:
        limit = _("It stops by itself with %(count)s active partners.")
        said.append(limit % {"count": program.most_partners})
    return said


def _if_closed(program: Program) -> list[str]:
    drafts = Application.objects.filter(program=program, state=ApplicationState.DRAFT).count()
    waiting = Application.objects.undecided().filter(program=program).count()
    begun = ngettext(
        "%(count)s application that was begun cannot be sent.",
        "%(count)s applications that were begun cannot be sent.",
        drafts,
    )
    sent = ngettext(
        "%(count)s application that was sent is decided as before.",
        "%(count)s applications that were sent are decided as before.",
        waiting,
    )
    return [
        _("The program page says that applications are closed, and takes an e-mail address for one notice."),
        *([begun % {"count": drafts}] if drafts else []),
        *([sent % {"count": waiting}] if waiting else []),
        _("Partners who are in carry on as usual."),
    ]


add_panels("program", panel_of)
add_pages("program", lambda desk: LaunchPage(desk).urls())
