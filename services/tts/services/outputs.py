"""How audio is written."""

from services.tts.exceptions import UnsupportedAudioFormat, UnsupportedSamplingRate
from services.tts.models.speech import Output
from shared.audio.encode import (
    CODECS,
    MAX_RATE,
    MIN_RATE,
    OutputFormat,
    available_formats,
    best_rate,
    holds_rate,
)

_STATING = frozenset({OutputFormat.WAV, OutputFormat.FLAC, OutputFormat.MP3})


def choose_output(audio_format: str, sampling_rate: int | None, model_rate: int) -> Output:
    """How the audio is written.

    Args:
        audio_format: As a client named it.
        sampling_rate: In Hz; None for the best that the format holds of the model's.
        model_rate: Of the model's sound, in Hz.

    Raises:
        UnsupportedAudioFormat: It is not written here.
        UnsupportedSamplingRate: The format cannot hold the rate.
    """
    known = available_formats()
    if audio_format not in known:
        raise UnsupportedAudioFormat(member.value for member in known)
    chosen = OutputFormat(audio_format)
    if sampling_rate is None:
        return Output(chosen, best_rate(chosen, model_rate))
    if not holds_rate(chosen, sampling_rate):
        rates = CODECS[chosen].rates
        held = ", ".join(map(str, sorted(rates))) if rates else f"{MIN_RATE} to {MAX_RATE}"
        raise UnsupportedSamplingRate(held)
    return Output(chosen, sampling_rate)


def media_type(output: Output) -> str:
    """Of a file; of bare samples with their rate, which nothing else would tell."""
    found = CODECS[output.audio_format].media_type
    if output.audio_format is OutputFormat.PCM:
        return f"{found};rate={output.sampling_rate};channels=1"
    return found


def leaves_whole(audio_format: OutputFormat, parts: int, *, live: bool) -> bool:
    """Whether a streamed file is given at its end, so that its header states its length.

    Of a text of one part the length is known at once. A flac file that does not state it cannot
    be read by libsndfile, which much else is built on: it leaves early for listeners only.

    Args:
        audio_format: The file's.
        parts: Of the text.
        live: Whether somebody listens meanwhile.
    """
    if audio_format not in _STATING:
        return False
    return parts == 1 or (audio_format is OutputFormat.FLAC and not live)
