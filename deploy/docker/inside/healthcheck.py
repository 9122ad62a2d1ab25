"""Whether this container's process takes requests: the image's HEALTHCHECK.

`healthcheck.py [PATH]`, /ready unless told otherwise. Nothing but the standard library is used.
"""

import http.client
import os
import sys

_TIMEOUT_S = 3.0


def answers(port: int, path: str) -> bool:
    """Whether the process answers 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    wanted = sys.argv[1] if len(sys.argv) > 1 else "/ready"
    sys.exit(not answers(int(os.environ.get("SPEECHGATE_PORT", "8000")), wanted))
