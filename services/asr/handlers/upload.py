"""Multipart uploads (RFC 7578), the file straight into a scratch file."""

from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from shared.audio.scratch import Scratch, ScratchFile
from shared.problem import BadRequest, InvalidField, UnsupportedMedia

FILE = "file"
_MEDIA_TYPE = b"multipart/form-data"


@dataclass(slots=True)
class Upload:
    """A form with a file.

    Attributes:
        fields: Names and texts, in order; None for what is a file, but not the one.
    """

    fields: list[tuple[str, str | None]]
    _file: ScratchFile | None

    @property
    def file(self) -> ScratchFile:
        """The content of the part `file`.

        Raises:
            InvalidField: There is none.
        """
        if self._file is None:
            raise InvalidField("A file is missing.", pointer=f"/{FILE}", code="file_missing")
        return self._file


@asynccontextmanager
async def read_upload(
    request: Request, scratch: Scratch, *, max_fields: int, max_field_bytes: int
) -> AsyncIterator[Upload]:
    """The form of a request; its file is closed when the block ends.

    Raises:
        UnsupportedMedia: It is no multipart form.
        BadRequest: It is malformed, or has too many or too large fields.
        InvalidField: There is more than one file.
        Unavailable: There is no room for the file.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind.lower() != _MEDIA_TYPE:
        raise UnsupportedMedia("Send the file as multipart/form-data.")
    with ExitStack() as stack:
        form = _Form(scratch, stack, max_fields, max_field_bytes)
        try:
            parser = MultipartParser(options[b"boundary"], form.callbacks())
            async for part in request.stream():
                parser.write(part)
            parser.finalize()
        except (FormParserError, KeyError) as error:
            raise _malformed("The form is malformed.") from error
        if not form.ended:
            raise _malformed("The form ends too early.")
        yield Upload(form.fields, form.file)


def _malformed(detail: str) -> BadRequest:
    return BadRequest(detail)


@dataclass(slots=True)
class _Form:
    """Takes the parser's events."""

    scratch: Scratch
    stack: ExitStack
    max_fields: int
    max_field_bytes: int
    file: ScratchFile | None = None
    fields: list[tuple[str, str | None]] = field(default_factory=list)
    ended: bool = False
    _header: tuple[bytearray, bytearray] = field(default_factory=lambda: (bytearray(), bytearray()))
    _disposition: bytes = b""
    _name: str = ""
    _text: bytearray | None = None
    _in_file: bool = False
    _taken: int = 0

    def callbacks(self) -> Any:
        """By the parser's names."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._form_end,
        }

    def _begin(self) -> None:
        self._disposition = b""

    def _header_end(self) -> None:
        name, value = self._header
        if name.lower() == b"content-disposition":
            self._disposition = bytes(value)
        name.clear()
        value.clear()

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        if b"name" not in options:
            raise _malformed("A part of the form has no name.")
        self._name = options[b"name"].decode("utf-8", "replace")
        is_file = b"filename" in options
        self._in_file = is_file and self._name == FILE
        self._text = None if is_file else bytearray()
        if self._in_file:
            if self.file is not None:
                raise InvalidField("One file is taken.", pointer=f"/{FILE}", code="too_many_files")
            self.file = self.stack.enter_context(self.scratch.file())
        elif len(self.fields) >= self.max_fields:
            raise _malformed(f"The form has more than {self.max_fields} fields.")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file and self.file is not None:
            self.file.append(memoryview(data)[start:end])
        elif self._text is not None:
            self._text += data[start:end]
            self._taken += end - start
            if self._taken > self.max_field_bytes:
                raise _malformed(f"The fields are larger than {self.max_field_bytes} bytes.")

    def _end(self) -> None:
        if not self._in_file:
            text = None if self._text is None else self._text.decode("utf-8", "replace")
            self.fields.append((self._name, text))

    def _form_end(self) -> None:
        self.ended = True
