"""Clients that transcribe a recording through the gateway, and count what they get.

`python load.py URL RECORDING --clients N --requests N --retries N`, the key in SPEECHGATE_KEY. Run
as a program it needs nothing but the standard library, for it runs inside another network. It
prints JSON: how many requests were made, answered at once, answered after a retry, and lost.
"""

import argparse
import http.client
import json
import os
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

_PATH = "/api/v1/asr/transcribe"
_BOUNDARY = "speechgate-load"
_TIMEOUT_S = 60.0
_LONGEST_PAUSE_S = 5.0


def multipart(recording: bytes) -> bytes:
    """The body of an upload: the recording and its language."""
    head = (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="language"\r\n\r\nen\r\n'
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n'
        "Content-Type: audio/wav\r\n\r\n"
    )
    return head.encode() + recording + f"\r\n--{_BOUNDARY}--\r\n".encode()


@dataclass
class Counts:
    """What the clients saw.

    Attributes:
        requests: Made, retries not counted.
        at_once: Answered 200 by the first attempt.
        retried: Answered 200 by a later one.
        lost: Not answered 200 at all.
        failures: Attempts that failed, by status or by the kind of broken connection.
    """

    requests: int = 0
    at_once: int = 0
    retried: int = 0
    lost: int = 0
    failures: Counter[str] = field(default_factory=Counter)


class Load:
    """Some clients, each with one request at a time.

    Args:
        url: Of the gateway.
        key: API key.
        recording: A WAV file's content.
        retries: Attempts after a first one that got 503 or no answer, as the SDKs of this kind of
            API make them; `Retry-After` is kept.
    """

    def __init__(self, url: str, key: str, recording: bytes, retries: int) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._headers = {
            "Authorization": f"Bearer {key}",
            "Content-Type": f"multipart/form-data; boundary={_BOUNDARY}",
        }
        self._body = multipart(recording)
        self._retries = retries
        self._lock = threading.Lock()
        self._left = 0
        self.counts = Counts()

    def run(self, clients: int, requests: int) -> Counts:
        """Makes the requests."""
        self._left = requests
        threads = [threading.Thread(target=self._client) for _ in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return self.counts

    def _client(self) -> None:
        while True:
            with self._lock:
                if self._left == 0:
                    return
                self._left -= 1
                self.counts.requests += 1
            attempt = self._ask()
            with self._lock:
                if attempt is None:
                    self.counts.lost += 1
                elif attempt == 0:
                    self.counts.at_once += 1
                else:
                    self.counts.retried += 1

    def _ask(self) -> int | None:
        """Which attempt was answered 200; None when none was."""
        for attempt in range(self._retries + 1):
            status, pause = self._attempt()
            if status == str(int(http.client.OK)):
                return attempt
            with self._lock:
                self.counts.failures[status] += 1
            if status.isdigit() and status != str(int(http.client.SERVICE_UNAVAILABLE)):
                return None
            time.sleep(pause)
        return None

    def _attempt(self) -> tuple[str, float]:
        """The status, or what broke; and how long to wait before the next attempt."""
        connection = http.client.HTTPConnection(*self._address, timeout=_TIMEOUT_S)
        try:
            connection.request("POST", _PATH, self._body, self._headers)
            answer = connection.getresponse()
            answer.read()
            pause = answer.getheader("Retry-After", "1")
        except (OSError, http.client.HTTPException) as error:
            return type(error).__name__, 1.0
        finally:
            connection.close()
        return str(answer.status), min(float(pause), _LONGEST_PAUSE_S)


def main() -> None:
    """Makes the load that the arguments tell, and prints what came of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("recording", type=Path)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--retries", type=int, default=0)
    given = parser.parse_args()
    load = Load(
        given.url, os.environ["SPEECHGATE_KEY"], given.recording.read_bytes(), given.retries
    )
    print(json.dumps(vars(load.run(given.clients, given.requests))))


if __name__ == "__main__":
    main()
