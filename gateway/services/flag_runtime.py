"""Opens and closes all that has to do with feature flags, in order."""

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gateway.exceptions import FlagsUnavailable
from gateway.flags.client import FlagClient
from gateway.flags.file_provider import FileProvider
from gateway.flags.kill_switches import KillSwitches
from gateway.flags.memory_provider import MemoryProvider
from gateway.flags.protocol import FlagSource
from gateway.flags.router import ModelRouter
from gateway.repositories.store import Database
from gateway.services.flag_audit import FlagAudit
from gateway.services.flags import FlagService, last_known
from gateway.settings import GatewaySettings
from shared.metrics import Metrics


class SourceSettings(Protocol):
    """Where flags come from; the gateway and the command line read the same settings."""

    @property
    def flags_file(self) -> Path | None:
        """See `GatewaySettings`."""

    @property
    def unleash_url(self) -> str:
        """See `GatewaySettings`."""

    @property
    def unleash_token_file(self) -> Path | None:
        """See `GatewaySettings`."""

    @property
    def unleash_environment(self) -> str:
        """See `GatewaySettings`."""

    @property
    def unleash_refresh_s(self) -> float:
        """See `GatewaySettings`."""

    @property
    def flags_cache_dir(self) -> Path | None:
        """See `GatewaySettings`."""


@dataclass(frozen=True, slots=True)
class Flags:
    """What the rest of the gateway does with flags.

    Attributes:
        service: For handlers.
        models: Chooses the model of a proxied request.
        kill_switches: Closed routes.
        audit: The trail of evaluations.
    """

    service: FlagService
    models: ModelRouter
    kill_switches: KillSwitches
    audit: FlagAudit

    async def check(self) -> None:
        """A health check: the flags are fresh.

        Raises:
            FlagsUnavailable: The last known ones are in use, or defaults.
        """
        if self.service.state.stale:
            raise FlagsUnavailable("The source of the flags does not answer.")


@asynccontextmanager
async def open_flags(
    settings: GatewaySettings, database: Database, metrics: Metrics, templates: Iterable[str]
) -> AsyncIterator[Flags]:
    """Flags from where the settings say; a source that is dead delays the start by 2 s at most.

    Args:
        settings: Of the gateway.
        database: Open until the flags are closed.
        metrics: Of the process.
        templates: Of the routes that have a kill switch.
    """
    async with AsyncExitStack() as stack:
        client = FlagClient(
            await choose_source(settings, database), settings.unleash_environment, metrics
        )
        stack.push_async_callback(client.close)
        await client.open()
        audit = FlagAudit(
            database,
            settings.unleash_environment,
            sample=settings.flag_audit_sample,
            interval_s=settings.flag_audit_flush_s,
            keep_days=settings.flag_audit_keep_days,
            metrics=metrics,
        )
        audit.start()
        stack.push_async_callback(audit.stop)
        service = FlagService(client, database, audit)
        service.start()
        stack.push_async_callback(service.stop)
        kill_switches = KillSwitches(client, templates)
        kill_switches.start()
        stack.push_async_callback(kill_switches.stop)
        yield Flags(service, ModelRouter(client, audit, metrics), kill_switches, audit)


async def choose_source(settings: SourceSettings, database: Database | None) -> FlagSource:
    """The provider that the settings name.

    Args:
        settings: Of the gateway.
        database: Asked for the last known flags, in case Unleash does not answer. Without one
            nothing is kept: the command line looks, and the gateway keeps.
    """
    environment = settings.unleash_environment
    if settings.flags_file is not None:
        return FileProvider(settings.flags_file, environment)
    if not settings.unleash_url or settings.unleash_token_file is None:
        return MemoryProvider()
    # Not at the top: a gateway without Unleash does without 20 MB of its client.
    from gateway.flags.unleash_provider import UnleashProvider, cache_file  # noqa: PLC0415

    known = await last_known(database, environment, "unleash") if database else None
    return UnleashProvider(
        settings.unleash_url,
        settings.unleash_token_file.read_text().strip(),
        environment,
        refresh_s=settings.unleash_refresh_s,
        cache_file=cache_file(settings.flags_cache_dir, settings.unleash_url, environment),
        read_only=database is None,
        known=known,
    )
