"""Commissions from server to server, for the operator's own systems: what a line is worth and why, in the words the partner reads."""

from __future__ import annotations

from typing import cast

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from payouts.api_shapes import CommissionShape
from payouts.explained.line import explain, readable
from payouts.models import Commission
from prm.accounts.api_auth import HasScope
from prm.accounts.choices import Scope
from prm.accounts.models import ApiKey
from referrals.api_answers import refusals


class CommissionView(APIView):
    """Look at one commission line."""

    permission_classes = [HasScope]
    scope = {"GET": Scope.COMMISSIONS_READ}

    @extend_schema(
        operation_id="read_commission",
        summary="Read a commission and why it is what it is",
        responses={200: CommissionShape, **refusals(400, 404)},
        tags=["commissions"],
    )
    def get(self, request: Request, public_id: str) -> Response:
        """Return a line with its explanation: as stored in `because`, and in words in `rows` and `why`."""
        key = cast(ApiKey, request.auth)  # HasScope lets nobody else in
        found = readable(Commission.objects.visible_to_key(key)).select_related("plan_version")
        line = get_object_or_404(found, public_id=public_id)
        shape = CommissionShape(line, context={"explained": explain(line, at=timezone.now())})
        return Response(shape.data)
