"""A shop of one page, to see tracking work from click to credit. It is there only in a house that holds the demo, keeps the click id by the
snippet, and tells its sale from its own server, as shops should."""

from __future__ import annotations

import re
import secrets
from functools import wraps
from typing import Protocol

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from demo.programs import SHOP
from prm.lib.errors import Refused
from prm.lib.money import Money
from referrals import conversions
from referrals.facts import Event
from referrals.redirect import CLICK_PARAMETER
from tiers.choices import EventKind
from tiers.models import Program

SOURCE = "demo-shop"
PRODUCT = "85123A"
PRICE_MINOR = 2400
_CLICK = re.compile(r"[0-9A-Za-z]{26}")


class View(Protocol):
    def __call__(self, request: HttpRequest) -> HttpResponse: ...


def only_in_the_demo(view: View) -> View:
    """Let nobody in where no program of the demo is: a house of its own has no such shop."""

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        if not Program.objects.filter(destination_url=SHOP).exists():
            raise Http404
        return view(request)

    return guarded


@require_safe
@only_in_the_demo
def product(request: HttpRequest) -> HttpResponse:
    """Show the one thing there is."""
    return render(request, "demo/shop.html", {"price": _price(), "order": "", "click": ""})


@require_POST
@only_in_the_demo
def buy(request: HttpRequest) -> HttpResponse:
    """Take the order and tell the sale with the click id the shop has kept; an order is never lost to tracking."""
    told = request.POST.get(CLICK_PARAMETER, "") or request.COOKIES.get(CLICK_PARAMETER, "")
    click = told if _CLICK.fullmatch(told) else ""
    order = f"W-{secrets.randbelow(900_000) + 100_000}"
    now = timezone.now()
    event = Event(
        source=SOURCE,
        external_id=order,
        kind=EventKind.SALE,
        occurred_at=now,
        amount=_price(),
        customer_id=f"C-{secrets.token_hex(4)}",
        click_id=click,
        product=PRODUCT,
        quantity=1,
    )
    try:
        conversions.record(event, at=now)
    except Refused:
        click = ""
    return render(request, "demo/shop.html", {"price": _price(), "order": order, "click": click})


def _price() -> Money:
    program = Program.objects.filter(destination_url=SHOP).order_by("pk").first()
    return Money(PRICE_MINOR, program.currency if program is not None else "GBP")
