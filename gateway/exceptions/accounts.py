"""What senders may not do with accounts, keys and each other."""

from shared.problem import Forbidden, InvalidField, RateLimited, SpeechgateError, Unauthenticated


class CredentialRefused(Unauthenticated):
    """The key is absent, malformed, unknown, revoked or expired; `code` says which."""

    def __init__(self, detail: str, *, code: str) -> None:
        super().__init__(detail, code=code)
        challenge = 'Bearer realm="speechgate"'
        if code != "key_missing":
            challenge += ', error="invalid_token"'  # RFC 6750 §3.1
        self.headers["WWW-Authenticate"] = challenge


class LoginFailed(Unauthenticated):
    """E-mail address and password do not belong together; which of them is wrong is not said."""

    default_code = "login_failed"

    def __init__(self) -> None:
        super().__init__("The e-mail address or the password is wrong.")


class LoginThrottled(RateLimited):
    """Too many logins of one account, or from one address."""

    default_code = "login_throttled"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(
            "Too many logins; try again later.", headers={"Retry-After": str(retry_after_s)}
        )


class NotAUser(Forbidden):
    """Only a user who logged in with a password may do this."""

    default_code = "not_a_user"

    def __init__(self) -> None:
        super().__init__("This is for users who logged in, not for API keys.")


class ScopeMissing(Forbidden):
    """The key is valid but may not do this."""

    default_code = "scope_missing"

    def __init__(self, scope: str) -> None:
        super().__init__(f"This needs the scope {scope}.")
        self.headers["WWW-Authenticate"] = (
            f'Bearer realm="speechgate", error="insufficient_scope", scope="{scope}"'
        )


class OrganizationSuspended(Forbidden):
    """Nobody of the organization may do anything."""

    default_code = "organization_suspended"

    def __init__(self) -> None:
        super().__init__("The organization is suspended.")


class PermissionEscalation(Forbidden):
    """Somebody would grant, or take over, more than they hold themselves."""

    default_code = "permission_escalation"


class QuotaEscalation(Forbidden):
    """A key would have more than its organization's plan gives each key."""

    default_code = "quota_escalation"


class Conflict(SpeechgateError):
    """What is stored does not allow it."""

    status = 409
    title = "Conflict"
    default_code = "conflict"


class NameTaken(Conflict):
    """A name is unique and somebody has it."""

    default_code = "name_taken"


class EmailTaken(Conflict):
    """An address belongs to one user of the installation."""

    default_code = "email_taken"

    def __init__(self) -> None:
        super().__init__("A user with this e-mail address exists.")


class PlanInUse(Conflict):
    """An organization has the plan."""

    default_code = "plan_in_use"

    def __init__(self) -> None:
        super().__init__("An organization has this plan; give it another one first.")


class LastAdmin(Conflict):
    """Nobody could administer the platform any more."""

    default_code = "last_admin"

    def __init__(self) -> None:
        super().__init__("This would leave the platform without an administrator.")


class PasswordWeak(InvalidField):
    """The password would be guessed."""

    default_code = "weak_password"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, pointer="/password")
