"""Rows of the project's own apps: people, keys, audit events, mails, runs."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import factory
from allauth.account.models import EmailAddress

from prm.accounts import policy
from prm.accounts.models import ApiKey, IdempotencyKey, User
from prm.audit.models import AuditEvent
from prm.mail.models import OutgoingMail
from prm.models import Heartbeat
from prm.runs.models import Run

PASSWORD = "correct horse battery"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class UserFactory(factory.django.DjangoModelFactory):
    """A person with a confirmed address who signs in with `PASSWORD`; `role=` makes them staff in that role."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda number: f"person{number}@example.org")
    full_name = factory.Sequence(lambda number: f"Person {number}")
    joined_at = NOW

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        password = kwargs.pop("password", PASSWORD)
        role = kwargs.pop("role", None)
        confirmed = kwargs.pop("confirmed", True)
        user = model_class.objects.create_user(password=password, **kwargs)
        EmailAddress.objects.create(user=user, email=user.email.lower(), verified=confirmed, primary=True)
        if role is not None:
            policy.give_role(user, role)
        return user


class ApiKeyFactory(factory.django.DjangoModelFactory):
    """A key whose secret is `SECRET`."""

    SECRET = "s" * 43

    class Meta:
        model = ApiKey
        exclude = ("SECRET",)

    name = "Shop"
    prefix = factory.Sequence(lambda number: f"k{number:09}")
    secret_sha256 = hashlib.sha256(SECRET.encode()).hexdigest()
    scopes = factory.LazyFunction(lambda: ["conversions:write"])
    created_by = factory.SubFactory(UserFactory, role=policy.ADMINISTRATOR)
    created_at = NOW

    @classmethod
    def text_of(cls, key: ApiKey) -> str:
        """Return the text a server would send for `key`."""
        return f"prm_live_{key.prefix}_{cls.SECRET}"


class AuditEventFactory(factory.django.DjangoModelFactory):
    """Something the system did."""

    class Meta:
        model = AuditEvent

    at = NOW
    action = "thing.done"


class OutgoingMailFactory(factory.django.DjangoModelFactory):
    """A message waiting to leave."""

    class Meta:
        model = OutgoingMail

    key = factory.Sequence(lambda number: f"key-{number}")
    kind = "account_notice"
    to = "ana@example.org"
    subject = "Hello"
    text = "Hello Ana\n"
    html = "<p>Hello Ana</p>"
    created_at = NOW
    next_attempt_at = NOW


class RunFactory(factory.django.DjangoModelFactory):
    """A job waiting for a worker."""

    class Meta:
        model = Run

    kind = "close"
    title = "Close October 2026"
    created_at = NOW


class HeartbeatFactory(factory.django.DjangoModelFactory[Heartbeat]):
    """A process that showed itself at `NOW`."""

    class Meta:
        model = Heartbeat

    name = factory.Sequence(lambda number: f"worker@host{number}")
    seen_at = NOW


class IdempotencyKeyFactory(factory.django.DjangoModelFactory):
    """An answer kept for a retry."""

    class Meta:
        model = IdempotencyKey

    api_key = factory.SubFactory(ApiKeyFactory)
    key = factory.Sequence(lambda number: f"retry-{number}")
    method = "POST"
    path = "/api/v1/conversions"
    body_sha256 = "0" * 64
    status = 201
    body = factory.LazyFunction(dict)
    created_at = NOW
