"""What cannot be done with a recorded call."""

from gateway.exceptions.accounts import Conflict
from shared.problem import NotFound


class CallNotFound(NotFound):
    """No call of this tenant has the id."""

    default_code = "call_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such call.")


class NoSuchMoment(NotFound):
    """The call has no coachable moment of this number, or none at all."""

    default_code = "moment_not_found"

    def __init__(self, moments: int) -> None:
        found = f"{moments} coachable moments" if moments else "no coachable moment"
        super().__init__(f"The call has {found}.")


class CallNotAnalyzed(Conflict):
    """The call's analysis was missing when it was made, or was not to be stored."""

    default_code = "call_not_analyzed"

    def __init__(self) -> None:
        super().__init__("The call was not analyzed, so that it has no coachable moment.")
