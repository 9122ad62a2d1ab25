"""The gateway with everything on, as a process of its own."""

import asyncio
from pathlib import Path

from gateway.flags.names import kill_switch
from tests.integration.gateway.harness import Installation, Program, bearer
from tests.load.contenders.base import PATH, Target
from tests.support.flags import feature, model_flag, write_flags

_HUGE = 50_000_000


def install(folder: Path, upstreams: str, redis_url: str, **settings: str) -> Installation:
    """A migrated installation whose services are all at `upstreams`."""
    database = f"sqlite+aiosqlite:///{folder / 'gateway.db'}"
    known = {
        "asr_urls": upstreams,
        "tts_urls": upstreams,
        "nlp_urls": upstreams,
        "upstream_max_in_flight": "4096",
        "upstream_service_max_in_flight": "4096",
        **settings,
    }
    known["flags_file"] = str(folder / "flags.json")
    installation = Installation(
        folder,
        database,
        redis_url,
        settings={f"SPEECHGATE_{name.upper()}": value for name, value in known.items()},
    )
    installation.prepare()
    candidate = {"model": "candidate", "version": "1"}
    rollout = model_flag("asr-model", 10, candidate, stickiness="userId")
    write_flags(folder / "flags.json", rollout, feature(kill_switch(PATH), on=False))
    return installation


def make_key(installation: Installation) -> str:
    """A key whose quotas no benchmark reaches."""
    made = installation.create_key("*", per_minute=_HUGE, per_hour=_HUGE, per_day=_HUGE)
    return asyncio.run(made)[1]


class Speechgate:
    """One gateway process: key, three windows in Redis, flags, metrics, request id, trace header,
    access log to a file.
    """

    name = "speechgate"

    def __init__(self, folder: Path, upstream: int, redis_url: str) -> None:
        self._installation = install(folder, f"http://127.0.0.1:{upstream}", redis_url)
        self._key = make_key(self._installation)
        self._program: Program = self._installation.gateway()

    @property
    def pid(self) -> int:
        """The only process."""
        return self._program.pid

    @property
    def command(self) -> list[str]:
        """What Python runs; may be set before the start."""
        return self._program.command

    @command.setter
    def command(self, command: list[str]) -> None:
        self._program.command = command

    @property
    def target(self) -> Target:
        """A proxied route, with a key."""
        return Target(self._program.port, PATH, bearer(self._key))

    def start(self) -> None:
        """Starts it."""
        self._program.start()

    def stop(self) -> None:
        """Stops it."""
        self._program.stop()
