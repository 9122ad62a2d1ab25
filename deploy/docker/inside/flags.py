"""Makes the flags of a new installation that Unleash lacks; those that are there stay.

`python -m deploy.docker.inside.flags`.

Environment: UNLEASH_URL and UNLEASH_ADMIN_TOKEN_FILE.
"""

import http.client
import json
import os
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from deploy.docker.inside.bootstrap import FLAG_ENVIRONMENT

FLAGS = Path(__file__).with_name("flags.json")
_FEATURES = "/api/admin/projects/default/features"
_WAIT_S = 60.0
_TIMEOUT_S = 10.0


class FlagServerError(Exception):
    """Unleash refused, or did not answer."""


class FlagServer:
    """The few calls of Unleash's admin API that are needed."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._port = parts.port or 4242
        self._token = token

    def add(self, feature: dict[str, Any]) -> bool:
        """Makes a flag of a `/api/client/features` document; False when the name exists."""
        described = {key: feature[key] for key in ("name", "type", "description") if key in feature}
        if self._post(_FEATURES, described) == http.client.CONFLICT:
            return False
        environment = f"{_FEATURES}/{feature['name']}/environments/{FLAG_ENVIRONMENT}"
        for strategy in feature.get("strategies", ()):
            # What the admin API wants, and the clients' document leaves out.
            variants = [{"weightType": "variable", **v} for v in strategy.get("variants", ())]
            self._post(f"{environment}/strategies", {**strategy, "variants": variants})
        if feature.get("enabled"):
            self._post(f"{environment}/on", {})
        return True

    def _post(self, path: str, body: object) -> int:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=_TIMEOUT_S)
        headers = {"Authorization": self._token, "Content-Type": "application/json"}
        try:
            connection.request("POST", path, json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read()[:300].decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise FlagServerError(f"{path}: {error}") from error
        finally:
            connection.close()
        if answer.status >= http.client.BAD_REQUEST and answer.status != http.client.CONFLICT:
            raise FlagServerError(f"{path}: {answer.status} {text}")
        return answer.status


def make_missing(server: FlagServer, features: list[dict[str, Any]], wait_s: float) -> list[str]:
    """Makes the flags that are missing; waits for the server to come up.

    Returns:
        Their names.
    """
    deadline = time.monotonic() + wait_s
    while True:
        try:
            return [feature["name"] for feature in features if server.add(feature)]
        except FlagServerError:
            if time.monotonic() > deadline:
                raise
            time.sleep(1.0)


if __name__ == "__main__":
    given = os.environ
    flag_server = FlagServer(
        given["UNLEASH_URL"], Path(given["UNLEASH_ADMIN_TOKEN_FILE"]).read_text().strip()
    )
    try:
        made = make_missing(flag_server, json.loads(FLAGS.read_bytes())["features"], _WAIT_S)
    except FlagServerError as problem:
        sys.exit(f"flags: {problem}")
    print("\n".join(f"made {name}" for name in made) or "no flag was missing", flush=True)
