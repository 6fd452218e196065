"""Customers who could be partners: chosen in the list of customers, written down as prospects after a page that says what happens. A customer
has no name and no mailbox here; whoever looks after the prospect adds them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from partners import prospects
from partners.models import Prospect
from prm.accounts import policy
from prm.accounts.back_office import BackOfficeAdmin, attempt, list_url, person, require
from referrals.models import Customer
from tiers.models import Program

if TYPE_CHECKING:
    Desk = BackOfficeAdmin
else:
    Desk = object

CAPABILITY = "manage_prospects"
MOST = 500


class ProspectsForm(forms.Form):
    """Which customers, and for which program."""

    customers = forms.CharField(widget=forms.HiddenInput)
    program = forms.ModelChoiceField(
        label=gettext_lazy("Program"), queryset=Program.objects.order_by("name", "pk"), required=False
    )


class ProspectPages(Desk):
    """The action and its page, beside the table of customers."""

    def prospect_urls(self) -> list[URLPattern]:
        """Return the page's address."""
        view = self.admin_site.admin_view(require_http_methods(["GET", "POST"])(self.prospects_page))
        return [path("prospects/", view, name="referrals_customer_prospects")]

    @admin.action(description=gettext_lazy("Write down as prospects"), permissions=["prospects"])
    def make_prospects(self, request: HttpRequest, queryset: QuerySet[Customer]) -> HttpResponse:
        """Lead to the page that says what happens."""
        chosen = queryset.order_by("pk").values_list("pk", flat=True)[:MOST]
        address = reverse("admin:referrals_customer_prospects")
        return HttpResponseRedirect(f"{address}?customers={','.join(str(pk) for pk in chosen)}")

    def has_prospects_permission(self, request: HttpRequest) -> bool:
        """Offer the action to those who keep the list."""
        return policy.may(request.user, CAPABILITY)

    def prospects_page(self, request: HttpRequest) -> HttpResponse:
        """Say what happens, and do it."""
        require(request, CAPABILITY)
        form = ProspectsForm(request.POST or None, initial={"customers": request.GET.get("customers", "")})
        wanted = request.POST.get("customers", request.GET.get("customers", ""))
        found = Customer.objects.filter(pk__in=_numbers(wanted)).order_by("pk")
        references = list(found.values_list("external_id", flat=True))
        if not references:
            messages.warning(request, _("Choose customers first."))
            return HttpResponseRedirect(list_url(Customer))
        if request.method == "POST" and form.is_valid():
            program, by, at = form.cleaned_data["program"], person(request), timezone.now()
            done = attempt(
                request, lambda: prospects.of_customers(references, program=program, by=by, at=at), form=form
            )
            if done is not None:
                _say(request, *done)
                return HttpResponseRedirect(list_url(Prospect, source__exact="customer"))
        return self.page(
            request,
            "admin/confirm.html",
            title=_("Customers as prospects"),
            status=422 if form.errors else 200,
            form=form,
            consequences=_consequences(len(references)),
            verb=_("Write them down"),
            parent_url=list_url(Customer),
        )


def _consequences(count: int) -> list[str]:
    told = ngettext(
        "%(count)s customer is written down as a prospect of yours, with the id at the shop.",
        "%(count)s customers are written down as prospects of yours, with their ids at the shop.",
        count,
    )
    return [
        told % {"count": count},
        _("Who is on the list of the same program already stays as it is."),
        _("Nobody is written to. Add names and addresses before you invite."),
    ]


def _say(request: HttpRequest, new: int, known: int) -> None:
    text = ngettext("%(count)s prospect is new.", "%(count)s prospects are new.", new) % {"count": new}
    messages.success(request, text)
    if known:
        text = ngettext(
            "%(count)s customer was on the list already.",
            "%(count)s customers were on the list already.",
            known,
        )
        messages.info(request, text % {"count": known})


def _numbers(text: Any) -> list[int]:
    parts = str(text).split(",")[:MOST]
    return [int(part) for part in parts if part.isdecimal() and len(part) < 19]
