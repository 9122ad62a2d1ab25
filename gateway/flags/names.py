"""The names of all flags that this code reads."""

from typing import Final

ASR_MODEL: Final = "asr-model"
TTS_MODEL: Final = "tts-model"
NMT_MODEL: Final = "nmt-model"
TRANSLITERATION_MODEL: Final = "transliteration-model"
MODEL_FLAGS: Final = (ASR_MODEL, TTS_MODEL, NMT_MODEL, TRANSLITERATION_MODEL)
"""Variants name a Triton model: `{"model": "asr-large", "version": "2"}`, version optional."""

ALIASES: Final = {
    "/speak": "/api/v1/speak",
    "/transcribe": "/api/v1/calls/transcribe",
    "/replay": "/api/v1/calls/{id}/replay",
}
"""Routes that are another one by a shorter name: one switch closes both."""

_KILL: Final = "kill-"


def kill_switch(template: str) -> str:
    """The flag that closes a route while it is on: `/api/v1/tts/voices` → `kill-tts-voices`."""
    template = ALIASES.get(template, template)
    parts = [part for part in template.strip("/").split("/") if part not in {"api", "v1"}]
    return _KILL + "-".join(part.strip("{}") for part in parts).replace(".", "-")
