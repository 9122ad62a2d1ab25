"""`python -m services.asr.rewrap`: wrap the keys of stored voices by the newest root key.

Run it after a new line was put first in the key file and every process has been started again;
then the old line may go. Voices are not encrypted anew, only their keys. It can be stopped and run
again at any time.
"""

import asyncio

from services.asr.repositories.speaker_voices import SpeakerVoices
from services.asr.settings import AsrSettings, load_settings
from shared.crypto.envelope import Vault
from shared.crypto.keyring import read_key_ring
from shared.db.engine import create_engine
from shared.logging import configure_logging, get_logger

_BATCH = 500
_logger = get_logger(__name__)


async def rewrap(settings: AsrSettings) -> int:
    """Wrap the keys of all voices by the newest root key; how many were.

    Raises:
        SpeechgateError: No key file is configured, or a voice's key cannot be opened.
    """
    key_file = settings.data_key_file
    vault = None if key_file is None else Vault(read_key_ring(key_file))
    engine = create_engine(settings.database_url, pool_size=1)
    try:
        voices, total = SpeakerVoices(engine, vault), 0
        while True:
            done = await voices.rewrap(_BATCH)
            total += done
            if done < _BATCH:
                return total
    finally:
        await engine.dispose()


def main() -> None:
    """The command line."""
    settings = load_settings()
    configure_logging("asr", settings.log_level)
    _logger.info("keys of voices wrapped anew", voices=asyncio.run(rewrap(settings)))


if __name__ == "__main__":
    main()
