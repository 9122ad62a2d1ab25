"""Who may use the installation."""

from dataclasses import dataclass

from gateway.repositories.store import Database
from gateway.services.key_changes import KeyAnnouncer
from gateway.services.organizations import OrganizationService
from gateway.services.passwords import PasswordHasher
from gateway.services.users import UserService


@dataclass(frozen=True, slots=True)
class AccountService:
    """Organizations and their users."""

    organizations: OrganizationService
    users: UserService

    @classmethod
    def over(
        cls, database: Database, passwords: PasswordHasher, announcer: KeyAnnouncer
    ) -> "AccountService":
        """The services of a database."""
        return cls(
            OrganizationService(database, announcer),
            UserService(database, passwords, announcer),
        )
