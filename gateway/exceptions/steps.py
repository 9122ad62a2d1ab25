"""What goes wrong in a request that the gateway composes of several services' answers."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from shared.problem import (
    BadRequest,
    InvalidField,
    PayloadTooLarge,
    SpeechgateError,
    Unavailable,
    UnsupportedMedia,
)


class StepFailed(SpeechgateError):
    """A service refused a step, or failed at it; in the service's own words.

    Args:
        status: Of the service's answer.
        code: That it names.
        detail: Likewise.
        errors: Members of the step's own body that are wrong.
        headers: Of the answer that concern the refusal.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status = status
        self.title = _TITLES.get(status, "Step failed")
        members = {"errors": list(errors)} if errors else None
        super().__init__(detail, code=code, headers=headers, members=members)


# In the words of this platform, where it has any.
_TITLES = {int(status): status.phrase for status in HTTPStatus} | {
    kind.status: kind.title
    for kind in (BadRequest, InvalidField, PayloadTooLarge, UnsupportedMedia, Unavailable)
}
