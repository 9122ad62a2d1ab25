"""On whose behalf something is changed, and what they may hand on."""

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.exceptions import PermissionEscalation, ScopeMissing
from gateway.models.permissions import ANY, PLATFORM_ADMIN, grants
from gateway.models.principal import Principal
from shared.problem import NotFound

_USER = "user:"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts.

    Attributes:
        subject: For the log: a key id, `user:<id>` or `operator`.
        tenant_id: Their organization; None for the operator.
        permissions: What they may do.
        models: Models that they may use; None is any.
        user_id: None for whoever is no user.
    """

    subject: str
    tenant_id: str | None
    permissions: frozenset[str]
    models: frozenset[str] | None = None
    user_id: str | None = None

    @classmethod
    def of(cls, principal: Principal) -> "Actor":
        """The sender of a request."""
        subject = principal.identity.subject
        return cls(
            subject=subject,
            tenant_id=principal.identity.tenant_id,
            permissions=principal.identity.scopes,
            models=principal.models,
            user_id=subject.removeprefix(_USER) if principal.kind == "user" else None,
        )

    @property
    def is_platform_admin(self) -> bool:
        """Whether they may reach into other organizations."""
        return PLATFORM_ADMIN in self.permissions

    def may(self, permission: str) -> bool:
        """Whether they hold a permission."""
        return grants(self.permissions, permission)

    def require(self, permission: str) -> None:
        """Refuse them without this permission.

        Raises:
            ScopeMissing: They do not hold it.
        """
        if not self.may(permission):
            raise ScopeMissing(permission)

    def require_all(self, permissions: Iterable[str]) -> None:
        """Refuse them to grant, or to act as somebody who holds, more than they do.

        Raises:
            PermissionEscalation: They lack one of the permissions.
        """
        if not all(map(self.may, permissions)):
            raise PermissionEscalation("This takes permissions that you do not hold yourself.")

    def require_models(self, models: frozenset[str] | None) -> None:
        """Refuse them to grant the use of models that they may not use.

        Raises:
            PermissionEscalation: They may use fewer.
        """
        if self.models is not None and (models is None or not models <= self.models):
            raise PermissionEscalation("This takes models that you may not use yourself.")

    def reaches(self, tenant_id: str) -> bool:
        """Whether they may know of an organization's objects."""
        return self.is_platform_admin or tenant_id == self.tenant_id

    def tenant(self, requested: str | None) -> str | None:
        """The organization that a list or a new object is of; None is all of them.

        Raises:
            NotFound: It is another one, and they may not know of it.
        """
        if requested is None:
            return self.tenant_id
        if not self.reaches(requested):
            raise no_such("organization")
        return requested


OPERATOR = Actor("operator", None, frozenset({ANY, PLATFORM_ADMIN}))
"""Whoever has the database and the secrets: the command line."""


def no_such(kind: str, by: str = "id") -> NotFound:
    """One answer for what does not exist and for what belongs to another organization."""
    return NotFound(f"There is no {kind} of this {by}.")


def narrowed(scopes: frozenset[str], held: frozenset[str]) -> frozenset[str]:
    """What of some scopes remains to somebody who holds only these permissions."""
    kept = frozenset(scope for scope in scopes if grants(held, scope))
    # `*` stands for everything else: of it remains what is held.
    return kept | (held - {PLATFORM_ADMIN}) if ANY in scopes - kept else kept
