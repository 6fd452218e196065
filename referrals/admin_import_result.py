"""What came of an import: how far it is, what would be or is new, every fault to download, and the button that records what was tried."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from prm.accounts import policy
from prm.accounts.back_office import BackOfficeAdmin, Fact, attempt, money_text, person, require
from prm.lib import l10n
from prm.lib.money import Money
from prm.runs import cards
from prm.runs.models import Run
from referrals import imports, mapping
from referrals.admin_import import CAPABILITY, RESULT, UPLOAD, columns, import_file, steps
from tiers.choices import EventKind


def pages(desk: BackOfficeAdmin) -> list[URLPattern]:
    """Return the addresses of an import, below the table of conversions."""
    by_hand, wrap = require_http_methods(["GET", "POST"]), desk.admin_site.admin_view
    found: dict[str, tuple[str, Callable[..., HttpResponseBase]]] = {
        "import/": ("", by_hand(partial(import_file, desk))),
        "import/<str:ticket>/": ("_columns", by_hand(partial(columns, desk))),
        "import/result/<slug:public_id>/": ("_result", by_hand(partial(result, desk))),
        "import/result/<slug:public_id>/faults.csv": ("_faults", require_safe(partial(faults, desk))),
    }
    return [
        path(route, wrap(view), name=f"referrals_conversion_import{name}")
        for route, (name, view) in found.items()
    ]


def address(run: Run) -> str:
    """Return where an import is shown, nothing for one of the command line, which has no file here."""
    return reverse(RESULT, args=[run.public_id]) if "stored" in run.parameters else ""


def result(desk: BackOfficeAdmin, request: HttpRequest, public_id: str) -> HttpResponse:
    """Show an import, or record what was only tried so far."""
    require(request, CAPABILITY)
    run = _run(public_id)
    if request.method == "POST" and run.parameters["dry_run"]:
        begun = attempt(request, lambda: _apply(run, request))
        if begun is not None:
            messages.success(request, _("The file was taken. You can leave this page while it is read."))
            return HttpResponseRedirect(reverse(RESULT, args=[begun.public_id]))
    found = run.result
    card = {**cards.context(run, at=timezone.now()), "result_url": "", "failures_url": ""}
    if run.created_by_id != request.user.pk and not policy.may(request.user, "steer_runs"):
        card |= {"cancel_url": "", "retry_url": ""}
    return desk.page(
        request,
        "admin/referrals/conversion/import_result.html",
        title=run.title,
        parent=_("Import sales"),
        parent_url=reverse(UPLOAD),
        steps=steps(3),
        facts=_facts(found) if "rows" in found else [],
        unchanged=found.get("changes_nothing", False),
        nothing_kept=not run.is_open and not run.parameters["dry_run"] and found.get("kept") is False,
        is_trial=run.parameters["dry_run"],
        can_apply=run.parameters["dry_run"] and not run.is_open and bool(found.get("created")),
        to_take=found.get("created", 0),
        faults=found.get("errors", []),
        all_faults=found.get("failed", 0),
        faults_url=reverse("admin:referrals_conversion_import_faults", args=[public_id])
        if found.get("faults")
        else "",
        **card,
    )


def _apply(run: Run, request: HttpRequest) -> Run:
    """Start the import that `run` tried.

    Raises: Forbidden, FileGone, BadFile, BadMapping.
    """
    told = run.parameters
    return imports.start_stored(
        told["stored"],
        name=told["name"],
        source=told["source"],
        sha256=told["sha256"],
        by=person(request),
        at=timezone.now(),
        atomic=told["atomic"],
        told=mapping.read(told["mapping"]) if told["mapping"] is not None else None,
    )


def faults(desk: BackOfficeAdmin, request: HttpRequest, public_id: str) -> FileResponse:
    """Hand out every fault as CSV."""
    require(request, CAPABILITY)
    place = _run(public_id).result.get("faults")
    if not place or not default_storage.exists(place):
        raise Http404
    return FileResponse(
        default_storage.open(place, "rb"),
        as_attachment=True,
        filename=f"faults-{public_id}.csv",
        content_type="text/csv; charset=utf-8",
    )


def _run(public_id: str) -> Run:
    """Return an import made in the back office; one of the command line has no file here."""
    run = get_object_or_404(Run, public_id=public_id, kind=imports.RUN_KIND)
    if "stored" not in run.parameters:
        raise Http404
    return run


def _facts(found: dict[str, Any]) -> list[Fact]:
    locale = l10n.active_locale()

    def count(name: str) -> str:
        return str(l10n.number_text(found[name], locale))

    new = _("Would be new") if found["dry_run"] else _("New")
    facts = [
        Fact(_("Lines"), count("rows")),
        Fact(new, count("created"), _sums(found["sums"])),
        Fact(_("Known before"), count("replayed")),
        Fact(_("With faults"), count("failed")),
        Fact(_("Credited to partners"), count("credited")),
        Fact(_("Refunds that wait for their sale"), count("waiting")),
    ]
    if found["ignored_columns"]:
        facts.append(Fact(_("Columns that are not read"), ", ".join(found["ignored_columns"])[:300]))
    return facts


def _sums(sums: dict[str, dict[str, str]]) -> str:
    names = dict(EventKind.choices)
    return "; ".join(
        f"{names.get(kind, kind)} {money_text(Money.parse(amount, currency))}"
        for currency, kinds in sums.items()
        for kind, amount in kinds.items()
    )
