"""Tell a repeat from a contradiction: an event told again with other facts is refused, naming what differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from django.utils.translation import gettext_lazy as _

from prm.lib.errors import Refused
from referrals.facts import Attribute, Event
from referrals.models import Conversion


class OtherBody(Refused):
    """An event id that was used before came again with other facts; `names` says which."""

    message = _("The event %(event)s was recorded before with another %(names)s.")
    code = "other_body"

    def __init__(self, event: Event, first: Conversion) -> None:
        self.names = tuple(_differences(event, first))
        super().__init__(params={"event": event.external_id, "names": ", ".join(self.names)})


def _differences(event: Event, first: Conversion) -> Iterator[str]:
    pairs = {
        "kind": (event.kind, first.kind),
        "occurred_at": (event.occurred_at, first.occurred_at),
        "amount": (event.amount, first.amount),
        "customer_id": (event.customer_id, first.customer.external_id if first.customer else ""),
        "country": (event.country, first.country),
        "code": (event.code, first.code_text),
        "click_id": (event.click_id, first.click_id),
        "original_event_id": (event.original_external_id, first.original_external_id),
        "product": (event.product, first.product),
        "category": (event.category, first.category),
        "quantity": (event.pieces, first.quantity),
        "tax": (event.tax_minor, first.tax_minor),
        "shipping": (event.shipping_minor, first.shipping_minor),
        "discount": (event.discount_minor, first.discount_minor),
        "cost": (event.cost_minor, first.cost_minor),
        "sub_id": (event.sub_id, first.sub_id),
        "deal": (event.deal, first.deal_key),
        "attributes": (_exactly(event.attributes), _exactly(first.attributes)),
    }
    return (name for name, (told, known) in pairs.items() if told != known)


def _exactly(attributes: Mapping[str, Attribute]) -> dict[str, tuple[type, Attribute]]:
    # In Python yes equals one, in what a shop tells they are two things.
    return {name: (type(value), value) for name, value in attributes.items()}
