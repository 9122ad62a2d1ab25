"""Bodies of `/api/v1/admin/{organizations,plans,roles,users}`."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, StrictBool, StringConstraints

from gateway.models.accounts import (
    NewUser,
    Organization,
    OrganizationChanges,
    Page,
    Plan,
    Role,
    User,
    UserChanges,
    normalize_email,
)
from gateway.schemas.admin_common import AdminAnswer, AdminRequest, Id, Name, Quota, Word

Email = Annotated[
    str, StringConstraints(min_length=3, max_length=254), AfterValidator(normalize_email)
]
Password = Annotated[SecretStr, Field(min_length=1, max_length=1024)]
RoleNames = Annotated[frozenset[Word], Field(max_length=16)]


class PlanQuotas(AdminRequest):
    """Quotas of a plan; what is null takes the gateway's default."""

    per_minute: Quota | None = None
    per_hour: Quota | None = None
    per_day: Quota | None = None
    max_concurrent_per_key: Quota | None = None
    max_concurrent_per_tenant: Quota | None = None


class PlanRequest(PlanQuotas):
    """Body of `POST /api/v1/admin/plans`."""

    name: Name


class PlanPatch(PlanQuotas):
    """Body of `PATCH /api/v1/admin/plans/{id}`; what is absent stays."""

    name: Name = Field(default_factory=str)


class PlanAnswer(AdminAnswer):
    """A plan."""

    id: str
    name: str
    per_minute: int | None
    per_hour: int | None
    per_day: int | None
    max_concurrent_per_key: int | None
    max_concurrent_per_tenant: int | None
    created_at: datetime

    @classmethod
    def of(cls, plan: Plan) -> "PlanAnswer":
        """The plan on the wire."""
        return cls.model_validate(plan, from_attributes=True)


class PlanPage(AdminAnswer):
    """A page of plans."""

    items: list[PlanAnswer]
    next: str | None

    @classmethod
    def of(cls, page: Page[Plan]) -> "PlanPage":
        """The page on the wire."""
        return cls(items=[PlanAnswer.of(plan) for plan in page.items], next=page.next)


class OrganizationRequest(AdminRequest):
    """Body of `POST /api/v1/admin/organizations`."""

    name: Name
    plan_id: Id | None = None


class OrganizationPatch(AdminRequest):
    """Body of `PATCH /api/v1/admin/organizations/{id}`; what is absent stays."""

    name: Name = Field(default_factory=str)
    plan_id: Id | None = None
    suspended: StrictBool = Field(default_factory=bool)

    def changes(self) -> OrganizationChanges:
        """The request as the domain knows it."""
        return OrganizationChanges(**self.given())


class OrganizationAnswer(AdminAnswer):
    """An organization and its plan."""

    id: str
    name: str
    plan: PlanAnswer | None
    suspended_at: datetime | None
    created_at: datetime

    @classmethod
    def of(cls, organization: Organization) -> "OrganizationAnswer":
        """The organization on the wire."""
        return cls.model_validate(organization, from_attributes=True)


class OrganizationPage(AdminAnswer):
    """A page of organizations."""

    items: list[OrganizationAnswer]
    next: str | None

    @classmethod
    def of(cls, page: Page[Organization]) -> "OrganizationPage":
        """The page on the wire."""
        return cls(items=[OrganizationAnswer.of(item) for item in page.items], next=page.next)


class RoleAnswer(AdminAnswer):
    """A role and what it grants."""

    name: str
    permissions: list[str]


class RoleList(AdminAnswer):
    """All roles."""

    items: list[RoleAnswer]
    next: None = None

    @classmethod
    def of(cls, roles: tuple[Role, ...]) -> "RoleList":
        """The roles on the wire."""
        return cls(
            items=[
                RoleAnswer(name=role.name, permissions=sorted(role.permissions)) for role in roles
            ]
        )


class UserRequest(AdminRequest):
    """Body of `POST /api/v1/admin/users`."""

    email: Email
    name: Name
    password: Password
    roles: RoleNames = frozenset({"user"})
    tenant_id: Id | None = None

    def new(self) -> NewUser:
        """The request as the domain knows it."""
        return NewUser(self.email, self.name, self.roles, self.password.get_secret_value())


class UserPatch(AdminRequest):
    """Body of `PATCH /api/v1/admin/users/{id}`; what is absent stays."""

    name: Name = Field(default_factory=str)
    roles: RoleNames = Field(default_factory=frozenset)
    disabled: StrictBool = Field(default_factory=bool)
    password: Password = Field(default_factory=lambda: SecretStr(""))

    def changes(self) -> UserChanges:
        """The request as the domain knows it."""
        given = self.given()
        if "password" in given:
            given["password"] = self.password.get_secret_value()
        return UserChanges(**given)


class UserAnswer(AdminAnswer):
    """A user, without the password."""

    id: str
    tenant_id: str
    email: str
    name: str
    roles: list[str]
    disabled_at: datetime | None
    password_changed_at: datetime
    last_login_at: datetime | None
    created_at: datetime

    @classmethod
    def of(cls, user: User) -> "UserAnswer":
        """The user on the wire."""
        return cls.model_validate(user, from_attributes=True)


class UserPage(AdminAnswer):
    """A page of users."""

    items: list[UserAnswer]
    next: str | None

    @classmethod
    def of(cls, page: Page[User]) -> "UserPage":
        """The page on the wire."""
        return cls(items=[UserAnswer.of(user) for user in page.items], next=page.next)
