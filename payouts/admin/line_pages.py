"""What can be done about a commission line from its page: pause it, let it go on, give it another payable date, or correct it by an
adjustment. Its amounts never change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from payouts import payable_dates
from payouts.admin.adjustments import propose_url
from payouts.admin.hold_forms import DateForm
from payouts.choices import CommissionState
from payouts.explained import story
from payouts.models import Commission
from prm.accounts import policy
from prm.accounts.back_office import attempt, list_url, locale, money_text, person, require, row_url
from prm.lib import l10n
from prm.lib.money import Money
from prm.lib.periods import local_day

if TYPE_CHECKING:
    from prm.accounts.back_office import BackOfficeAdmin as Desk

MOST_LINES = 500


def addresses(desk: Desk) -> list[URLPattern]:
    """Return the address of the page that moves payable dates."""

    def view(request: HttpRequest) -> HttpResponse:
        return move_dates(desk, request)

    both = require_http_methods(["GET", "POST"])
    return [path("dates/", desk.admin_site.admin_view(both(view)), name="payouts_commission_dates")]


@admin.action(description=gettext_lazy("Change the payable date"))
def choose_dates(desk: Any, request: HttpRequest, chosen: QuerySet[Commission]) -> HttpResponse:
    """Lead from the lines ticked in the list to the page that moves their date."""
    return HttpResponseRedirect(dates_url(*chosen.order_by("pk").values_list("pk", flat=True)))


def dates_url(*ids: int) -> str:
    """Return the address of the page that moves the payable date of these lines."""
    return f"{reverse('admin:payouts_commission_dates')}?lines={','.join(str(pk) for pk in ids)}"


def moves_of(line: Commission, request: HttpRequest) -> list[tuple[str, str]]:
    """Return what the person can do about a line: words and address."""
    may_pause = policy.may(request.user, "pause_payments")
    may_move = policy.may(request.user, "adjust_balances")
    moves: list[tuple[str, str]] = []
    if line.amount_minor and may_pause and line.state == CommissionState.ON_HOLD:
        moves.append((_("Pause this line"), reverse("admin:payouts_pause_line", args=[line.pk])))
    pause = story.open_pause(line)
    if may_pause and pause is not None:
        moves.append((_("End the pause"), reverse("admin:payouts_pause_end", args=[pause.pk])))
    if line.amount_minor and may_move and line.state in payable_dates.WAITING:
        moves.append((_("Change the payable date"), dates_url(line.pk)))
    if may_move:
        moves.append((_("Propose an adjustment"), propose_url(line.membership, line)))
    return moves


def move_dates(desk: Desk, request: HttpRequest) -> HttpResponse:
    """Ask for day and reason, say whose lines it is about, and move them."""
    require(request, "adjust_balances")
    lines = _chosen(request)
    form = DateForm(request.POST if request.method == "POST" else None)
    back = row_url(lines[0]) if len(lines) == 1 else list_url(Commission)
    if request.method == "POST" and form.is_valid():
        changes = attempt(
            request,
            lambda: payable_dates.move(lines, **form.cleaned_data, by=person(request), at=timezone.now()),
            form=form,
        )
        if changes is not None:
            text = ngettext(
                "The date of %(count)s line was moved and its partner was told.",
                "The date of %(count)s lines was moved and their partners were told.",
                len(changes),
            )
            messages.success(request, text % {"count": l10n.number_text(len(changes), locale())})
            return HttpResponseRedirect(back)
    return desk.page(
        request,
        "admin/confirm.html",
        title=_("Change the payable date"),
        form=form,
        errors=bool(form.errors),
        verb=_("Change the payable date"),
        parent_url=back,
        consequences=_consequences(lines),
    )


def _chosen(request: HttpRequest) -> list[Commission]:
    """Return the lines the address names.

    Raises: Http404.
    """
    ids = [part for part in request.GET.get("lines", "").split(",") if part.isascii() and part.isdigit()]
    if not ids or len(ids) > MOST_LINES:
        raise Http404
    found = Commission.objects.visible_to(person(request)).filter(pk__in=ids)
    lines = list(found.select_related("membership__partner", "membership__program").order_by("pk"))
    if not lines:
        raise Http404
    return lines


def _consequences(lines: list[Commission]) -> list[str]:
    days = sorted({local_day(line.payable_at, line.membership.program.zone) for line in lines})
    partners = sorted({line.membership.partner.name for line in lines})
    sums = [
        money_text(Money.total((line.amount for line in lines if line.currency == currency), currency))
        for currency in sorted({line.currency for line in lines})
    ]
    numbers = {
        "count": l10n.number_text(len(lines), locale()),
        "sum": l10n.list_text(sums, locale()),
        "days": l10n.list_text([l10n.date_text(day, locale()) for day in days[:3]], locale()),
        "partners": l10n.list_text(partners[:5], locale()),
        "others": l10n.number_text(max(0, len(partners) - 5), locale()),
    }
    what = ngettext(
        "%(count)s line of %(sum)s is ready to pay from the new day; it was told %(days)s.",
        "%(count)s lines of %(sum)s together are ready to pay from the new day; they were told %(days)s.",
        len(lines),
    )
    told = _("%(partners)s get an e-mail at once with the old day, the new one and your reason.")
    if len(partners) > 5:
        told = _("%(partners)s and %(others)s others get an e-mail at once with both days and your reason.")
    if len(partners) == 1:
        told = _("%(partners)s gets an e-mail at once with the old day, the new one and your reason.")
    return [
        what % numbers,
        told % numbers,
        _("A later day counts as a promise that was not kept."),
    ]
