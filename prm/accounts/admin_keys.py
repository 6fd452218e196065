"""The back office's window on API keys: issue, rotate, pace and revoke. A key's text is shown once, on the answer to the request that made it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from prm.accounts import api_keys
from prm.accounts.back_office import BackOfficeAdmin, attempt, person, require, row_url, when_column
from prm.accounts.choices import Scope
from prm.accounts.models import ApiKey
from prm.lib.errors import Refused

OVERLAPS = (
    (0, gettext_lazy("Not at all: it ends now")),
    (1, gettext_lazy("For one hour")),
    (24, gettext_lazy("For one day")),
    (24 * 7, gettext_lazy("For seven days")),
)


class RotateForm(forms.Form):
    """How long two secrets open a key."""

    hours = forms.TypedChoiceField(
        label=gettext_lazy("How long the secret of now goes on to work"),
        choices=OVERLAPS,
        coerce=int,
        initial=24,
        widget=forms.RadioSelect,
        help_text=gettext_lazy(
            "Long enough to put the new one everywhere; at once when somebody else has seen it."
        ),
    )

    def overlap(self) -> timedelta:
        """Return what was chosen."""
        return timedelta(hours=self.cleaned_data["hours"])


class PaceForm(forms.Form):
    """How many calls a minute."""

    calls_per_minute = forms.IntegerField(
        label=gettext_lazy("Calls a minute"),
        required=False,
        min_value=1,
        max_value=api_keys.MOST_CALLS,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )


class IssueKeyForm(forms.ModelForm):
    """What a new key may do and until when."""

    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("What it may do"), choices=Scope.choices, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = ApiKey
        fields = ("name", "scopes", "expires_at")


@admin.register(ApiKey)
class ApiKeyAdmin(BackOfficeAdmin):
    """Keys of servers that call the API."""

    sees = adds = "manage_api_keys"
    change_form_template = "admin/accounts/apikey/change_form.html"

    form = IssueKeyForm
    list_display = (
        "name",
        "prefix",
        "scopes",
        "created_by",
        "created_at",
        "expires_at",
        "last_used_at",
        "revoked_at",
    )
    list_filter = ("revoked_at",)
    search_fields = ("name", "prefix")
    list_select_related = ("created_by",)
    ordering = ("-created_at", "-pk")
    fields = ("name", "scopes", "expires_at")
    actions = ("revoke",)

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        """Show an existing key as it is, a new one as a form."""
        if obj is None:
            return self.fields
        return (
            "name",
            "prefix",
            "scopes",
            "created_by",
            "created_at",
            "expires_at",
            "calls_per_minute",
            "previous_secret",
            "last_used_at",
            "revoked_by",
            "revoked_at",
        )

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that rotate a key and set its pace."""
        by_hand = require_http_methods(["GET", "POST"])
        return [
            path(
                "<int:pk>/rotate/",
                self.admin_site.admin_view(by_hand(self.rotate)),
                name="accounts_apikey_rotate",
            ),
            path(
                "<int:pk>/pace/", self.admin_site.admin_view(by_hand(self.pace)), name="accounts_apikey_pace"
            ),
            *super().get_urls(),
        ]

    @admin.display(description=gettext_lazy("secret before"))
    def previous_secret(self, key: ApiKey) -> str:
        """Return until when the secret before opens the key."""
        ends_at = key.previous_ends_at
        if ends_at is None or ends_at <= timezone.now():
            return _("opens nothing")
        return _("opens the key until %(until)s") % {"until": when_column("previous_ends_at", "")(key)}

    def save_model(self, request: HttpRequest, obj: ApiKey, form: IssueKeyForm, change: bool) -> None:
        """Issue the key."""
        issued = api_keys.issue(
            name=obj.name,
            scopes=form.cleaned_data["scopes"],
            expires_at=obj.expires_at,
            by=person(request),
            at=timezone.now(),
        )
        obj.__dict__.update(issued.key.__dict__)
        request.issued_key = issued.text  # type: ignore[attr-defined]

    def response_add(
        self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the key, this once; it goes through no cookie, session or log."""
        return self._shown_once(request, obj, getattr(request, "issued_key", ""))

    def rotate(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask how long the secret of now goes on to open the key, then give it a new one and show that, this once."""
        require(request, "manage_api_keys")
        key = get_object_or_404(ApiKey, pk=pk)
        form = RotateForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            by, overlap = person(request), form.overlap()
            issued = attempt(
                request, lambda: api_keys.rotate(key, by=by, at=timezone.now(), overlap=overlap), form=form
            )
            if issued is not None:
                return self._shown_once(request, issued.key, issued.text)
        return self._asked(
            request,
            key,
            form,
            title=_("New secret for “%(name)s”") % {"name": key.name},
            consequences=[
                _("The key keeps its name, what it may do and its limit; its text becomes another one."),
                _("The new text is shown once, on the next page."),
                _("The text of now opens nothing any more once the time you choose is over."),
            ],
            verb=_("Make a new secret"),
        )

    def pace(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask how many calls a minute the key may make, and set that."""
        require(request, "manage_api_keys")
        key = get_object_or_404(ApiKey, pk=pk)
        form = PaceForm(request.POST or None, initial={"calls_per_minute": key.calls_per_minute})
        if request.method == "POST" and form.is_valid():
            calls = form.cleaned_data["calls_per_minute"]
            by = person(request)
            if attempt(
                request,
                lambda: api_keys.set_pace(key, calls_per_minute=calls, by=by, at=timezone.now()),
                form=form,
            ):
                messages.success(request, _("The limit was changed. It holds from the next call on."))
                return HttpResponseRedirect(row_url(key))
        every = settings.PRM_API_CALLS_PER_MINUTE
        return self._asked(
            request,
            key,
            form,
            title=_("Limit of “%(name)s”") % {"name": key.name},
            consequences=[
                _("Calls above the limit are answered with 429 and the seconds to wait; nothing is lost."),
                _("A batch counts as one call, and one more for each hundred events begun."),
                _("Without a number the limit is that of every key: %(calls)s calls a minute.")
                % {"calls": every},
            ],
            verb=_("Set the limit"),
        )

    def _asked(
        self, request: HttpRequest, key: ApiKey, form: forms.Form, *, title: str, **context: Any
    ) -> HttpResponse:
        context |= {"form": form, "parent": key, "parent_url": row_url(key)}
        status = 422 if form.errors else 200
        return self.page(
            request, "admin/confirm.html", title=title, status=status, errors=form.errors, **context
        )

    def _shown_once(self, request: HttpRequest, key: ApiKey, text: str) -> HttpResponse:
        answer = self.page(
            request,
            "admin/accounts/apikey/issued.html",
            title=_("The key, shown this once"),
            key=key,
            key_text=text,
        )
        answer["Cache-Control"] = "no-store"
        return answer

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Offer what can be done with a key that opens something."""
        key = kwargs.get("obj")
        context["may_rotate"] = key is not None and key.is_usable(at=timezone.now())
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.action(description=gettext_lazy("Revoke"), permissions=["add"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """Close the keys chosen for good."""
        by, at = person(request), timezone.now()
        for key in queryset.filter(revoked_at=None).order_by("pk"):
            try:
                api_keys.revoke(key, by=by, at=at)
            except Refused as refusal:
                messages.error(request, str(refusal))
