"""What the gateway cannot do now."""

from shared.problem import NotFound, Unavailable


class AuthUnavailable(Unavailable):
    """The key cannot be checked now: neither a cache nor the database knows it."""

    default_code = "auth_unavailable"


class LimitsUnavailable(Unavailable):
    """The limits cannot be checked now, and the route serves nothing without them."""

    default_code = "limits_unavailable"

    def __init__(self) -> None:
        super().__init__("Limits cannot be checked at the moment; try again.")


class FlagsUnavailable(Unavailable):
    """The source of the feature flags does not answer; the last known flags stay in use."""

    default_code = "flags_unavailable"


class FlagNotFound(NotFound):
    """No flag has this name."""

    def __init__(self) -> None:
        super().__init__("No such flag.")


class Overloaded(Unavailable):
    """This process has too much to do for a request of this priority."""

    default_code = "overloaded"

    def __init__(self) -> None:
        super().__init__("The gateway has too much to do; try again.")


class RouteClosed(Unavailable):
    """An operator has closed the route with its kill switch."""

    default_code = "route_closed"

    def __init__(self) -> None:
        super().__init__("This operation is switched off at the moment.", retry_after_s=30)


class UpstreamUnavailable(Unavailable):
    """No replica of the service takes the request."""

    default_code = "upstream_unavailable"


class DatabaseUnreachable(Unavailable):
    """The database does not answer; most callers know what to do without it."""

    default_code = "database_unavailable"

    def __init__(self) -> None:
        super().__init__("The database does not answer.", retry_after_s=5)


class RedisUnavailable(Exception):
    """Redis does not answer; the caller falls back."""
