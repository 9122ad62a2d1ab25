"""Keeps what only colours terminals out of a worker; to be imported before everything else.

httpx and structlog load these libraries wherever they find them, 4 MB of a process without a
terminal. They are found where the command line is installed, and neither needs them.
"""

import sys

for _name in ("rich", "pygments"):
    # The documented way to make an import fail: `importlib` calls None "not found".
    sys.modules.setdefault(_name, None)  # type: ignore[arg-type] # typeshed knows modules only
