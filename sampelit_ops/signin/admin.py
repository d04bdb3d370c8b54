"""People: invite, change roles, deactivate, start somebody's sign-in over. Users are never deleted (docs/design.md 3).

Replaces Django's user admin, whose holders could make themselves superuser or set other people's passwords. Every
change goes to the ledger; nobody changes their own roles.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django_otp.plugins.otp_totp.models import TOTPDevice

from ledger.services import record
from operations.admin.base import EditableAdmin
from operations.approvals.confirmation import confirm
from operations.factors.acts import Binding, digest_of
from operations.factors.step_up import spend
from operations.models import Authenticator, Passkey, RoleGrant
from operations.web.formatting import badge, when
from providers.errors import Refused
from sampelit_ops.roles import ROLES
from sampelit_ops.signin import invitations
from sampelit_ops.signin.forms import InvitationForm
from sampelit_ops.signin.person import person as signed_in
from sampelit_ops.signin.role_changes import set_roles, words
from sampelit_ops.signin.sessions import end_access, end_sessions, hold_access

for model in (User, Group, TOTPDevice):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


class RoleFilter(admin.SimpleListFilter):
    """Whoever holds the role, everywhere or on one environment."""

    title, parameter_name = "role", "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(role.name, role.name) for role in ROLES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        name = self.value()
        held = Q(groups__name=name) | Q(role_grants__role__name=name)
        return queryset.filter(held).distinct() if name else queryset


@admin.register(User)
class PersonAdmin(EditableAdmin):
    form = InvitationForm
    list_display = ("username", "full_name", "email", "roles", "second_factor", "state", "last_seen")
    list_filter = (RoleFilter, "is_active")
    dated = "last_login"
    search_fields = ("username", "first_name", "last_name", "email")
    ordering = ("username",)
    actions = ("deactivate", "activate", "sign_out", "start_over", "confirm_approver")
    fields = ("username", "first_name", "last_name", "email", "roles")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        app = Authenticator.objects.filter(user=OuterRef("pk"), confirmed=True)
        passkey = Passkey.objects.filter(user=OuterRef("pk"))
        return (
            super()
            .get_queryset(request)
            .prefetch_related("groups", "role_grants__role", "role_grants__environment")
            .annotate(has_device=Exists(app) | Exists(passkey))
        )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": "People", **(extra_context or {})})

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """One primary button; the title says what it does."""
        known = context.get("original")
        own = {"title": known.username if known else "Invite somebody", "subtitle": None}
        own |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().render_change_form(request, {**context, **own}, *args, **kwargs)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """A name in the ledger stays the same person's; nobody changes their own roles."""
        if obj is None:
            return ()
        return ("username", "roles") if obj.pk == request.user.pk else ("username",)

    @admin.display(description="name")
    def full_name(self, person: User) -> str:
        return person.get_full_name()

    @admin.display(description="roles")
    def roles(self, person: User) -> str:
        everywhere = [group.name for group in person.groups.all()]
        grants: Iterable[RoleGrant] = cast(Any, person).role_grants.all()
        granted = [words(str(grant)) for grant in grants]
        return ", ".join([*everywhere, *granted])

    @admin.display(description="second factor")
    def second_factor(self, person: User) -> SafeString:
        return badge("on") if person.has_device else badge("none")  # type: ignore[attr-defined]

    @admin.display(description="state", ordering="is_active")
    def state(self, person: User) -> SafeString:
        if not person.is_active:
            return badge("deactivated")
        return badge("active") if person.has_usable_password() else badge("invited", "warn")

    @admin.display(description="last sign-in", ordering="last_login")
    def last_seen(self, person: User) -> SafeString:
        return when(person.last_login)

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        """A new person is saved with an invitation; of a known one only name and address (which others hear of)."""
        assert isinstance(obj, User)  # noqa: S101 - the model of this list
        if not change:
            messages.info(request, invitations.invite(obj, form.cleaned_data["roles"], by=signed_in(request)))
            return
        before = hold_access(User.objects.filter(pk=obj.pk))[0].email
        obj.save(update_fields=["first_name", "last_name", "email"])
        if "roles" in form.cleaned_data:
            set_roles(obj, form.cleaned_data["roles"], by=request.user.get_username())
        if obj.email != before:
            invitations.change_contact(obj, before, by=signed_in(request))
        changed = [name for name in form.changed_data if name not in ("roles", "email")]
        if changed:
            _note(request, "signin.details_changed", obj, {"changed": changed, "email": obj.email})

    @admin.action(description="Deactivate", permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """They are signed out at once and keep their name in the ledger."""
        others = queryset.filter(is_active=True).exclude(username=request.user.get_username())
        names = sorted(others.values_list("username", flat=True))
        with transaction.atomic():
            if names:
                about = Binding("signin.deactivate", ", ".join(names)[:200], digest_of(names))
                spend(request.user.get_username(), about)
            self._switch(request, others, False, "signin.user_deactivated")

    @admin.action(description="Activate", permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for person in self._one(request, queryset.filter(is_active=False)):
            with transaction.atomic():
                spend(request.user.get_username(), Binding("signin.activate", person.username, digest_of(person.email)))
                self._switch(request, queryset.filter(pk=person.pk), True, "signin.user_activated")

    def _one(self, request: HttpRequest, queryset: QuerySet[User]) -> Iterable[User]:
        """The person who was chosen: a second factor is shown for each."""
        if queryset.count() > 1:
            messages.warning(request, "Choose one person: each is confirmed by itself. Nothing was changed.")
            return []
        return queryset

    @admin.action(description="Start sign-in over (lost phone or password)", permissions=["change"])
    def start_over(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Drops both factors, ends all sessions and mails a new one-time link."""
        for person in self._one(request, queryset):
            try:
                messages.success(request, invitations.start_over(person, by=signed_in(request)))
            except Refused as refusal:
                messages.error(request, refusal.reason)

    @admin.action(description="Sign out everywhere", permissions=["change"])
    def sign_out(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Ends every session of these people, and nothing else: password, factors and tokens stay."""
        for person in queryset:
            ended = end_sessions(person, actor=request.user.get_username(), keep=request.session.session_key)
            messages.success(request, f"{person.username}: {ended} sessions are ended.")

    @admin.action(description="Confirm as approver", permissions=["change"])
    def confirm_approver(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """A second admin lets a new approver's votes count before a day has passed."""
        for person in self._one(request, queryset):
            try:
                confirm(person, by=signed_in(request))
                messages.success(request, f"The votes of {person.username} count from now on.")
            except PermissionDenied as refusal:
                messages.error(request, str(refusal))

    @transaction.atomic
    def _switch(self, request: HttpRequest, people: QuerySet[User], active: bool, code: str) -> None:
        for person in hold_access(people.filter(is_active=not active)):
            User.objects.filter(pk=person.pk).update(is_active=active)
            _note(request, code, person)
            if not active:
                end_access(person, actor=request.user.get_username(), why="the person was deactivated")
            messages.success(request, f"{person.username} is {'active' if active else 'deactivated'}.")


def _note(request: HttpRequest, code: str, person: User, data: dict[str, object] | None = None) -> None:
    record(code, actor=request.user.get_username(), subject=person.username, data=data)
