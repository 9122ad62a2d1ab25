import pytest

from services.tts.services.outputs import choose_output

RATE = 22_050
"""Of the model."""


@pytest.mark.parametrize(
    ("name", "rate", "chosen"),
    [("wav", None, 22_050), ("opus", None, 24_000), ("mp3", 8_000, 8_000), ("ogg", 9_999, 9_999)],
)
def test_output(name: str, rate: int | None, chosen: int) -> None:
    assert choose_output(name, rate, RATE).sampling_rate == chosen
