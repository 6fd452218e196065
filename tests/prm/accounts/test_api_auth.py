from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import RequestFactory
from rest_framework.response import Response
from rest_framework.views import APIView

from prm.accounts import api_auth
from tests.factories.prm import ApiKeyFactory

pytestmark = pytest.mark.django_db


class Door(APIView):
    authentication_classes = (api_auth.ApiKeyAuthentication,)
    permission_classes = (api_auth.HasScope,)
    scope: Any = "conversions:write"

    def get(self, request: Any) -> Response:
        return Response({"key": request.auth.prefix, "staff": request.user.is_staff})


def call(header: str | None, *, scope: Any = "conversions:write") -> Response:
    headers = {"HTTP_AUTHORIZATION": header} if header is not None else {}
    request = RequestFactory().get("/", **headers)
    return Door.as_view(scope=scope)(request)


def test_a_key_with_the_scope_comes_in_and_is_nobody_elsewhere() -> None:
    key = ApiKeyFactory()
    answer = call(f"Bearer {ApiKeyFactory.text_of(key)}")
    assert answer.status_code == 200
    assert answer.data == {"key": key.prefix, "staff": False}


def test_no_key_is_told_how_to_bring_one() -> None:
    answer = call(None)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="api"'


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer x", "Bearer a b", "bearer \xff", "Bearer " + "z" * 5000]
)
def test_a_key_that_opens_nothing_is_a_401(header: str) -> None:
    assert call(header).status_code == 401


def test_a_key_without_the_scope_is_a_403() -> None:
    key = ApiKeyFactory(scopes=["conversions:read"])
    assert call(f"Bearer {ApiKeyFactory.text_of(key)}").status_code == 403


@pytest.mark.parametrize("scope", [None, "", {"POST": "conversions:write"}, "everything"])
def test_a_view_that_names_no_scope_lets_nobody_in(scope: Any) -> None:
    key = ApiKeyFactory(scopes=["conversions:write", "everything"])
    assert call(f"Bearer {ApiKeyFactory.text_of(key)}", scope=scope).status_code == 403


def test_an_expired_key_is_a_401() -> None:
    key = ApiKeyFactory(
        created_at=datetime(2020, 1, 1, tzinfo=UTC), expires_at=datetime(2020, 1, 2, tzinfo=UTC)
    )
    assert call(f"Bearer {ApiKeyFactory.text_of(key)}").status_code == 401
