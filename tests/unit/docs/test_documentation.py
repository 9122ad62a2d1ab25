"""The documentation names what is there."""

import re
from pathlib import Path

import pytest

from gateway.settings import GatewaySettings
from services.asr.settings import AsrSettings
from services.nlp.settings import NlpSettings
from services.tts.settings import TtsSettings
from shared.settings import CommonSettings, ServiceSettings

ROOT = Path(__file__).resolve().parents[3]
CONFIGURATION = (ROOT / "docs/operations/configuration.md").read_text()
SETTINGS = (
    CommonSettings,
    ServiceSettings,
    GatewaySettings,
    AsrSettings,
    TtsSettings,
    NlpSettings,
)


def test_every_setting_is_documented_and_every_documented_one_exists() -> None:
    rows = [line for line in CONFIGURATION.splitlines() if line.startswith("| `")]
    documented = {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row.split("|")[1])}
    existing = {name.upper() for settings in SETTINGS for name in settings.model_fields}
    assert documented == existing


@pytest.mark.parametrize(
    "document", ["README.md", *(str(p.relative_to(ROOT)) for p in (ROOT / "docs").rglob("*.md"))]
)
def test_links_lead_somewhere(document: str) -> None:
    path = ROOT / document
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text()):
        assert (path.parent / target).exists(), target
