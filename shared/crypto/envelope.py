"""Envelope encryption: AES-256-GCM (NIST SP 800-38D) by a data key of each object's own.

The data key is kept beside the ciphertext, wrapped by a root key. Both are bound to where they
belong: moved to another tenant, object or field they do not open. Who deletes the row deletes the
only copy of the data key.
"""

import os
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.crypto.keyring import KEY_BYTES, KeyRing
from shared.problem import SpeechgateError

_VERSION = "v1"
_NONCE_BYTES = 12


class DataKeyMissing(SpeechgateError):
    """The root key that wraps an object's data key is not in the key file."""

    default_code = "data_key_missing"

    def __init__(self) -> None:
        super().__init__("The key of stored data is not available.")


class DataCorrupted(SpeechgateError):
    """Ciphertext that was altered, or belongs elsewhere."""

    default_code = "data_corrupted"

    def __init__(self) -> None:
        super().__init__("Stored data was altered and cannot be read.")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a ciphertext belongs."""

    tenant: str
    kind: str
    id: str
    field: str

    def associated(self) -> bytes:
        """version|tenant|type|id|field, each part escaped so that none can run into the next."""
        parts = (_VERSION, self.tenant, self.kind, self.id, self.field)
        return "|".join(quote(part, safe="") for part in parts).encode()


@dataclass(frozen=True, slots=True)
class Sealed:
    """An encrypted value.

    Attributes:
        key_id: The root key that wraps the data key.
        wrapped_key: Nonce and encrypted data key.
        ciphertext: Nonce and encrypted value.
    """

    key_id: str
    wrapped_key: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)


class Vault:
    """Encrypts and decrypts."""

    def __init__(self, ring: KeyRing) -> None:
        self._current = ring.current
        self._roots = {key_id: AESGCM(key) for key_id, key in ring.keys.items()}

    @property
    def current(self) -> str:
        """Id of the root key that encrypts."""
        return self._current

    def seal(self, value: bytes, place: Place) -> Sealed:
        """Encrypt a value by a new data key."""
        kept, key = self.new_key(place)
        return replace(kept, ciphertext=encrypt(AESGCM(key), value, place.associated()))

    def new_key(self, place: Place) -> tuple[Sealed, bytes]:
        """What is kept of a new data key, and the key: for what is not encrypted as a whole."""
        key, root = AESGCM.generate_key(8 * KEY_BYTES), self._roots[self._current]
        wrapped = encrypt(root, key, self._wrapping(self._current, place))
        return Sealed(self._current, wrapped, b""), key

    def open(self, sealed: Sealed, place: Place) -> bytes:
        """The value.

        Raises:
            DataKeyMissing: No root key has this id.
            DataCorrupted: It was altered, or belongs to another place.
        """
        key = self.open_key(sealed, place)
        return decrypt(AESGCM(key), sealed.ciphertext, place.associated())

    def rewrap(self, sealed: Sealed, place: Place) -> Sealed:
        """The same value, its data key wrapped by the current root key.

        Raises:
            DataKeyMissing: No root key has this id.
            DataCorrupted: It was altered, or belongs to another place.
        """
        key = self.open_key(sealed, place)
        root = self._roots[self._current]
        wrapped = encrypt(root, key, self._wrapping(self._current, place))
        return replace(sealed, key_id=self._current, wrapped_key=wrapped)

    def open_key(self, sealed: Sealed, place: Place) -> bytes:
        """The data key.

        Raises:
            DataKeyMissing: No root key has this id.
            DataCorrupted: It was altered, or belongs to another place.
        """
        root = self._roots.get(sealed.key_id)
        if root is None:
            raise DataKeyMissing
        key = decrypt(root, sealed.wrapped_key, self._wrapping(sealed.key_id, place))
        if len(key) != KEY_BYTES:
            raise DataCorrupted
        return key

    @staticmethod
    def _wrapping(key_id: str, place: Place) -> bytes:
        return b"key|" + key_id.encode() + b"|" + place.associated()


def encrypt(key: AESGCM, value: bytes, associated: bytes) -> bytes:
    """Nonce and ciphertext."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + key.encrypt(nonce, value, associated)


def decrypt(key: AESGCM, content: bytes, associated: bytes) -> bytes:
    """What `encrypt` made of it.

    Raises:
        DataCorrupted: It was altered, or bound to something else.
    """
    try:
        return key.decrypt(content[:_NONCE_BYTES], content[_NONCE_BYTES:], associated)
    except (InvalidTag, ValueError) as error:  # ValueError: the nonce is cut off.
        raise DataCorrupted from error
