"""The pages that pause and end: each asks for what is needed, says in numbers what happens and makes one call."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _

from partners.models import Membership
from payouts import pauses
from payouts.adjustment_checks import balance_of
from payouts.admin.hold_forms import EndForm, PauseForm
from payouts.explained import subject
from payouts.models import Commission, Pause
from prm.accounts.back_office import (
    BackOfficeAdmin,
    Fact,
    attempt,
    link_to,
    locale,
    money_text,
    person,
    require,
    row_url,
)
from prm.lib import l10n
from prm.lib.periods import local_day


class PausePages(BackOfficeAdmin):
    """The pages below the table of pauses."""

    def pause_line(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for reason and day, say what happens, and pause a line."""
        require(request, "pause_payments")
        found = Commission.objects.select_related("membership__partner", "membership__program", "conversion")
        line = get_object_or_404(found, pk=pk)
        form = PauseForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            pause = attempt(
                request,
                lambda: pauses.pause_line(line, **form.cleaned_data, by=person(request), at=timezone.now()),
                form=form,
            )
            if pause is not None:
                messages.success(request, _("The line is paused and the partner was told."))
                return HttpResponseRedirect(row_url(line))
        order = subject.title_text(line, line.membership.program.zone)
        numbers = {"amount": money_text(line.amount), "order": order, "partner": line.membership.partner.name}
        return self._confirm(
            request,
            form,
            title=_("Pause %(amount)s for %(order)s") % numbers,
            verb=_("Pause this line"),
            parent_url=row_url(line),
            consequences=[
                _("%(amount)s for %(order)s is not released until the pause ends.") % numbers,
                _("%(partner)s gets an e-mail at once with your reason and the day.") % numbers,
                _("Everything else is earned, released and paid as ever."),
            ],
        )

    def pause_payments(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for reason and day, say what happens, and pause a membership's payments."""
        require(request, "pause_payments")
        membership = get_object_or_404(Membership.objects.select_related("partner", "program"), pk=pk)
        form = PauseForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            pause = attempt(
                request,
                lambda: pauses.pause_payments(
                    membership, **form.cleaned_data, by=person(request), at=timezone.now()
                ),
                form=form,
            )
            if pause is not None:
                messages.success(request, _("Payments are paused and the partner was told."))
                return HttpResponseRedirect(row_url(pause))
        numbers = {
            "partner": membership.partner.name,
            "program": membership.program.name,
            "balance": money_text(balance_of(membership)),
        }
        return self._confirm(
            request,
            form,
            title=_("Pause payments to %(partner)s") % numbers,
            verb=_("Pause payments"),
            parent_url=row_url(membership.partner),
            consequences=[
                _("Pay runs leave %(partner)s out, with your reason; %(balance)s is ready to pay now.")
                % numbers,
                _("What is earned with %(program)s is computed, released and put on statements as ever.")
                % numbers,
                _("%(partner)s gets an e-mail at once with your reason and the day.") % numbers,
            ],
        )

    def end(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask what came of it, say what happens, and end a pause."""
        require(request, "pause_payments")
        pause = get_object_or_404(readable(request), pk=pk)
        form = EndForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            outcome = form.cleaned_data["outcome"]
            ended = attempt(
                request,
                lambda: pauses.resume(pause, outcome=outcome, by=person(request), at=timezone.now()),
                form=form,
            )
            if ended is not None:
                messages.success(request, _("The pause has ended and the partner was told."))
                return HttpResponseRedirect(row_url(pause))
        return self._confirm(
            request,
            form,
            title=_("End the pause"),
            verb=_("End the pause"),
            parent_url=row_url(pause),
            consequences=_ending(pause),
        )

    def _confirm(
        self,
        request: HttpRequest,
        form: forms.Form,
        *,
        title: str,
        verb: str,
        parent_url: str,
        consequences: list[str],
    ) -> HttpResponse:
        return self.page(
            request,
            "admin/confirm.html",
            title=title,
            form=form,
            errors=bool(form.errors),
            verb=verb,
            parent_url=parent_url,
            consequences=consequences,
        )


def readable(request: HttpRequest) -> QuerySet[Pause]:
    """Return the pauses the person may see, with all the pages read."""
    found = Pause.objects.visible_to(person(request))
    return found.select_related(
        "membership__partner", "membership__program", "commission__conversion", "paused_by", "ended_by"
    )


def is_overdue(pause: Pause) -> bool:
    """Say whether somebody should have looked at it by now."""
    today = local_day(timezone.now(), pause.membership.program.zone)
    return pause.ended_at is None and pause.review_on < today


def title_of(pause: Pause) -> str:
    """Return the title of a pause's page."""
    return _("Pause: %(what)s") % {"what": what_text(pause)}


def what_text(pause: Pause) -> str:
    """Return the line that waits, or that everything does."""
    line = pause.commission
    if line is None:
        return _("All payments")
    order = subject.title_text(line, pause.membership.program.zone)
    return _("%(order)s, %(amount)s") % {"order": order, "amount": money_text(line.amount)}


def facts_of(pause: Pause) -> list[Fact]:
    """Return the facts of a pause."""
    zone = timezone.get_current_timezone()
    facts = [
        Fact(_("Partner"), link_to(pause.membership.partner)),
        Fact(_("Program"), pause.membership.program.name),
        Fact(_("What waits"), link_to(pause.commission, what_text(pause)) or what_text(pause)),
        Fact(_("Cause"), pause.get_cause_display()),
        Fact(_("Reason"), pause.reason),
        Fact(_("Looked at again by"), l10n.date_text(pause.review_on, locale(), "long")),
        Fact(_("Paused"), l10n.datetime_text(pause.paused_at, zone, locale()), str(pause.paused_by or "")),
    ]
    if pause.ended_at is not None:
        ended = l10n.datetime_text(pause.ended_at, zone, locale())
        facts += [
            Fact(_("Ended"), ended, str(pause.ended_by or "")),
            Fact(_("What came of it"), pause.outcome),
        ]
    return facts


def _ending(pause: Pause) -> list[str]:
    line, partner = pause.commission, pause.membership.partner.name
    told = _("%(partner)s gets an e-mail that it goes on.") % {"partner": partner}
    if line is None:
        balance = money_text(balance_of(pause.membership))
        return [
            _(
                "The next pay run pays %(partner)s again, unless another pause is open; %(balance)s is ready to pay."
            )
            % {"partner": partner, "balance": balance},
            told,
        ]
    day = l10n.date_text(local_day(line.payable_at, pause.membership.program.zone), locale(), "long")
    numbers = {"amount": money_text(line.amount), "day": day}
    has_come = line.payable_at <= timezone.now()
    text = (
        _("%(amount)s goes back on hold. Its day was %(day)s, so it is released the next night.")
        if has_come
        else _("%(amount)s goes back on hold and is released on %(day)s.")
    )
    return [text % numbers, told]
