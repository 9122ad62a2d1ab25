"""One HTTP message as httptools reads it."""

import httptools


class ParsedHttp:
    """Everything that the parser finds.

    Attributes:
        target: Of a request.
        status: Of an answer.
        headers: Names in lower case.
        body: All of it.
        begun: Messages that began.
        complete: Messages that ended.
        keep: Whether the connection may be used again.
    """

    def __init__(self, data: bytes, *, answer: bool = False) -> None:
        self.target = self.body = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.begun = self.complete = 0
        self.keep = False
        self._parser = (httptools.HttpResponseParser if answer else httptools.HttpRequestParser)(
            self
        )
        self._parser.feed_data(data)
        self.status = self._parser.get_status_code() if answer else 0

    def on_message_begin(self) -> None:
        self.begun += 1

    def on_url(self, part: bytes) -> None:
        self.target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.keep = self._parser.should_keep_alive()

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.complete += 1
