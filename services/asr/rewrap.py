"""`python -m services.asr.rewrap`: wrap the keys of what is stored by the newest root key.

Run it after a new line was put first in the key file and every process has been started again;
then the old line may go. Voices and recordings are not encrypted anew, only their keys. It can be
stopped and run again at any time.
"""

import asyncio

from services.asr.repositories.recordings import RecordingRepository
from services.asr.repositories.speaker_voices import SpeakerVoices
from services.asr.settings import AsrSettings, load_settings
from shared.crypto.envelope import Vault
from shared.crypto.keyring import read_key_ring
from shared.db.engine import create_engine
from shared.logging import configure_logging, get_logger

_BATCH = 500
_logger = get_logger(__name__)


async def rewrap(settings: AsrSettings) -> int:
    """Wrap the keys of all voices and recordings by the newest root key; how many were.

    Raises:
        SpeechgateError: No key file is configured, or a key cannot be opened.
    """
    key_file = settings.data_key_file
    vault = None if key_file is None else Vault(read_key_ring(key_file))
    engine = create_engine(settings.database_url, pool_size=1)
    try:
        total = 0
        for stored in (SpeakerVoices(engine, vault), RecordingRepository(engine, vault)):
            while (done := await stored.rewrap(_BATCH)) == _BATCH:
                total += done
            total += done
        return total
    finally:
        await engine.dispose()


def main() -> None:
    """The command line."""
    settings = load_settings()
    configure_logging("asr", settings.log_level)
    _logger.info("keys wrapped anew", objects=asyncio.run(rewrap(settings)))


if __name__ == "__main__":
    main()
