"""Objects that are encrypted part by part, by one data key: see `Vault.new_key`.

Each part is bound to its object, to its number and to whether it is the last one: parts that were
swapped, dropped from the end or taken from another object do not open. Parts open in any order.
"""

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.crypto.envelope import Place, decrypt, encrypt

MAX_CHUNK_BYTES = 64 * 1024
"""Longest part: random nonces of 96 bits stay safe for far more parts than an object can have."""


class ChunkCipher:
    """Encrypts and decrypts the parts of one object.

    Args:
        key: Its data key.
        place: Where it belongs.
    """

    def __init__(self, key: bytes, place: Place) -> None:
        self._key = AESGCM(key)
        self._associated = place.associated()

    def seal(self, index: int, content: bytes, *, final: bool) -> bytes:
        """Nonce and encrypted part.

        Raises:
            ValueError: The part is too long.
        """
        if len(content) > MAX_CHUNK_BYTES:
            raise ValueError("the part is too long")
        return encrypt(self._key, content, self._bound(index, final=final))

    def open(self, index: int, content: bytes, *, final: bool) -> bytes:
        """The part.

        Raises:
            DataCorrupted: It was altered, or belongs to another place.
        """
        return decrypt(self._key, content, self._bound(index, final=final))

    def _bound(self, index: int, *, final: bool) -> bytes:
        return b"%b|%d|%d" % (self._associated, index, final)
