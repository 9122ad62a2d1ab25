"""Where feature flags come from, and whether those that the code reads exist."""

from collections.abc import Sequence

from gateway.doctor.findings import Finding, error, ok, warning
from gateway.flags.client import FlagClient
from gateway.flags.names import MODEL_FLAGS
from gateway.services.flag_runtime import choose_source
from gateway.settings import GatewaySettings
from shared.metrics import Metrics

_MEND = {
    "unleash": "Check SPEECHGATE_UNLEASH_URL, and that the token is a backend token of the "
    "environment that SPEECHGATE_UNLEASH_ENVIRONMENT names.",
    "file": "Check SPEECHGATE_FLAGS_FILE: JSON in the shape of Unleash's /api/client/features.",
}


async def check_flags(settings: GatewaySettings) -> Sequence[Finding]:
    """Whether the source answers, and has the flags that choose models.

    Kill switches need not exist: a route without one is open.
    """
    if settings.flags_file is None and not settings.unleash_url:
        return [ok("flags", "no source is set: every flag has its default")]
    try:
        source = await choose_source(settings, None)
    except OSError:  # The token's file, of which the secrets' check says more.
        return [error("flags", "the token cannot be read", _MEND["unleash"])]
    client = FlagClient(source, settings.unleash_environment, Metrics("cli"))
    await client.open()
    try:
        state, known = client.state, client.source.document.flags
        if state.stale:
            says = f"{state.source} does not answer, or refuses"
            return [error("flags", says, _MEND[state.source])]
        found = [ok("flags", f"{len(known)} from {state.source}")]
        missing = [name for name in MODEL_FLAGS if name not in known]
        if missing:
            says = f"not there: {', '.join(missing)}; default models serve"
            mend = "Make them if you want to roll out models: docs/operations/flags.md."
            found.append(warning("flags", says, mend))
        return found
    finally:
        await client.close()
