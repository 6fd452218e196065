"""Answer a retry as the first call was answered: the same `Idempotency-Key` with the same body gives the kept answer, with another body
it is refused. The answer is written in the transaction of the work, so there is never one without the other.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from prm.accounts.models import ApiKey, IdempotencyKey
from prm.lib.errors import Refused

HEADER = "Idempotency-Key"
KEPT = timedelta(days=7)
_NAME = re.compile(r"[\x21-\x7e]{1,255}")


class KeyUsedBefore(Refused):
    """The idempotency key came before with another call."""

    message = _("This idempotency key was used before for another call: make a new one for each call.")
    code = "idempotency_key_reused"
    field = HEADER


def answered_once(request: Request, work: Callable[[], Response]) -> Response:
    """Do the work and return its answer; when the call names an idempotency key that was used before, only return the answer.

    Only what succeeds is kept: after an error the same key may be tried again.

    Raises: KeyUsedBefore, ValidationError, whatever `work` raises.
    """
    name = request.headers.get(HEADER)
    if name is None:
        return work()
    if not _NAME.fullmatch(name):
        fault = ErrorDetail(str(_("Send 1 to 255 visible ASCII characters.")), code="bad_idempotency_key")
        raise ValidationError({HEADER: [fault]})
    call = IdempotencyKey(
        api_key=cast(ApiKey, request.auth),
        key=name,
        method=request.method or "",
        path=request.path[:200],
        body_sha256=_sha256(request),
        created_at=timezone.now(),
    )
    with transaction.atomic():
        kept = _kept(call)
        if kept is not None:
            return _again(call, kept)
        response = work()
        _keep(call, response)
        return response


def purge(*, at: datetime) -> int:
    """Forget the answers of more than a week ago; return how many."""
    return IdempotencyKey.objects.filter(created_at__lt=at - KEPT).delete()[0]


def _kept(call: IdempotencyKey) -> IdempotencyKey | None:
    """Return the earlier call of this name, or put this one in its place; who comes second waits here for the first."""
    same = IdempotencyKey.objects.filter(api_key=call.api_key, key=call.key)
    found = same.first()
    if found is not None:
        return found
    try:
        with transaction.atomic():
            call.save(force_insert=True)
    except IntegrityError:
        return same.get()
    return None


def _again(call: IdempotencyKey, kept: IdempotencyKey) -> Response:
    if (kept.method, kept.path, kept.body_sha256) != (call.method, call.path, call.body_sha256):
        raise KeyUsedBefore
    return Response(kept.body, status=kept.status, headers={"Idempotency-Replayed": "true"})


def _keep(call: IdempotencyKey, response: Response) -> None:
    if response.status_code >= 300:
        transaction.set_rollback(True)
        return
    call.status, call.body = response.status_code, json.loads(JSONRenderer().render(response.data))
    call.save(update_fields=["status", "body"])


def _sha256(request: Request) -> str:
    """Return a hash that is equal for bodies that say the same, in whatever order and with whatever blanks, and the same query."""
    query = sorted(request.query_params.lists())
    facts: list[Any] = [query, request.data]
    text = json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
