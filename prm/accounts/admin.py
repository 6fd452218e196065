"""The back office's window on people; on API keys it is in `admin_keys`. Every change is a call of a verb, which asks the policy and writes the audit record."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy

from prm.accounts import people, policy
from prm.accounts.admin_keys import ApiKeyAdmin as ApiKeyAdmin
from prm.accounts.models import User
from prm.lib.errors import Refused

ROLE_CHOICES = [(role, label) for role, label in policy.ROLE_LABELS.items()]


class PersonForm(forms.ModelForm):
    """A person with staff roles; no password is ever set for somebody else."""

    roles = forms.MultipleChoiceField(
        label=gettext_lazy("Staff roles"),
        choices=ROLE_CHOICES,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Without a role the person is not staff and cannot enter the back office."),
    )

    class Meta:
        model = User
        fields = ("email", "full_name", "language", "time_zone")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["roles"].initial = sorted(policy.roles_held(self.instance))

    def clean_email(self) -> str:
        """Refuse an address that belongs to somebody else, however it is written."""
        email: str = self.cleaned_data["email"]
        holder = people.find(email)
        if holder is not None and holder.pk != self.instance.pk:
            raise forms.ValidationError(str(people.AddressTaken()), code="taken")
        return email


@admin.register(User)
class UserAdmin(admin.ModelAdmin):
    """People who sign in."""

    form = PersonForm
    list_display = ("email", "full_name", "is_staff", "is_active", "language", "last_login", "joined_at")
    list_filter = ("is_staff", "is_active", "groups", "language")
    search_fields = ("email_folded", "full_name", "public_id")
    search_help_text = gettext_lazy("Name, address or id")
    ordering = ("email_folded",)
    show_full_result_count = False
    readonly_fields = ("public_id", "is_active", "last_login", "joined_at")
    fields = ("email", "full_name", "language", "time_zone", "roles", *readonly_fields)
    actions = ("close",)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """People are not deleted: their accounts are closed, and what they did stays on record."""
        return False

    def save_model(self, request: HttpRequest, obj: User, form: PersonForm, change: bool) -> None:
        """Hand what changed to the verbs of `people`."""
        by, at = _person(request), timezone.now()
        if not change:
            self._open(obj, by=by)
        else:
            self._change(obj, form, by=by)
        roles = frozenset(form.cleaned_data["roles"])
        if roles != policy.roles_held(obj):
            try:
                people.set_roles(obj, roles=roles, by=by, at=at)
            except Refused as refusal:
                messages.error(request, str(refusal))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save nothing more: roles were given by the verb."""

    @admin.action(description=gettext_lazy("Close the accounts"), permissions=["change"])
    def close(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Close the accounts chosen, except one's own."""
        by, at = _person(request), timezone.now()
        try:
            for user in queryset.exclude(pk=by.pk).order_by("pk"):
                people.close_account(user, by=by, at=at)
        except Refused as refusal:
            messages.error(request, str(refusal))

    def _open(self, obj: User, *, by: User) -> None:
        policy.require(by, "manage_staff")
        user = people.open_account(
            email=obj.email,
            full_name=obj.full_name,
            language=obj.language,
            time_zone=obj.time_zone,
            by=by,
            at=timezone.now(),
        )
        # The admin goes on with the object it was given, which now is the stored one.
        obj.__dict__.update(user.__dict__)

    def _change(self, obj: User, form: PersonForm, *, by: User) -> None:
        policy.require(by, "manage_staff")
        plain = [name for name in form.changed_data if name in ("full_name", "language", "time_zone")]
        if plain:
            obj.save(update_fields=plain)
            people.note_profile_change(obj, fields=plain, by=by, at=timezone.now())
        if "email" in form.changed_data:
            people.change_email(User.objects.get(pk=obj.pk), email=obj.email, by=by, at=timezone.now())


def _person(request: HttpRequest) -> User:
    user = request.user
    assert isinstance(user, User)  # noqa: S101 - the admin lets nobody else in
    return user
