"""Keeps libraries that nobody here uses out of a worker; to be imported before everything else.

httpx and structlog load what colours terminals wherever they find it, 4 MB of a process without a
terminal; redis-py loads what measures for OpenTelemetry, another 2 MB. They are found where the
command line is installed, or the sender of traces, and none of the three needs them.
"""

import sys

for _name in ("rich", "pygments", "opentelemetry.sdk.metrics"):
    # The documented way to make an import fail: `importlib` calls None "not found".
    sys.modules.setdefault(_name, None)  # type: ignore[arg-type] # typeshed knows modules only
