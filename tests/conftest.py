"""What all tests have in common: the same cases in each run, and a worker for each folder."""

import hypothesis
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# `make drill` explores; here a failure must come back when its test is run again.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.load_profile("repeatable")


class FolderScheduling(LoadScopeScheduling):
    """Keep the tests of a folder on one worker, since they share stacks and servers.

    The folders are `tests/e2e` and two levels elsewhere: `tests/integration/services_asr`.
    """

    def _split_scope(self, nodeid: str) -> str:
        parts = nodeid.split("/")
        return "/".join(parts[: 2 if parts[1] == "e2e" else 3])


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FolderScheduling:
    """A hook of pytest-xdist."""
    return FolderScheduling(config, log)
