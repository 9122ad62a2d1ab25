"""What a sender is told about audio that is refused."""

from collections.abc import Mapping

from shared.problem import BadRequest, PayloadTooLarge, SpeechgateError, UnsupportedMedia


class AudioRefused(BadRequest):
    """The audio cannot be used; the code says why."""

    status = 422
    title = "Unprocessable content"
    default_code = "decode_failed"


class AudioTooLong(PayloadTooLarge):
    """More audio than one request may hold."""

    default_code = "audio_too_long"


class UnsupportedAudioFormat(UnsupportedMedia):
    """A format that this installation cannot read."""

    default_code = "unsupported_audio_format"


_DETAILS: Mapping[str, str] = {
    "not_base64": "The audio content is not valid base64.",
    "empty_audio": "The audio holds no samples.",
    "not_audio": "The content is none of wav, flac, mp3, ogg, opus, m4a, mp4, aac, webm.",
    "audio_truncated": "The audio ends before its own header or structure says.",
    "audio_header_mismatch": "The audio's header does not fit its content.",
    "too_many_channels": "The audio has too many channels.",
    "unsupported_sample_rate": "The audio's sample rate is outside what is read.",
    "sampling_rate_required": "Headerless audio (pcm) needs its sampling rate.",
    "decode_timeout": "The audio could not be decoded in time.",
    "decode_failed": "The audio could not be decoded.",
}


def refusal(code: str) -> SpeechgateError:
    """The error for a code of `DecodeFailure`; an unknown code is `decode_failed`."""
    if code == "audio_too_long":
        return AudioTooLong("The audio is longer than one request may hold.")
    if code == "unsupported_audio_format":
        return UnsupportedAudioFormat(
            "m4a, mp4, aac and webm are read where the extra `media` is installed"
            " (pip install 'speechgate[media]'); here it is not."
        )
    known = code if code in _DETAILS else "decode_failed"
    return AudioRefused(_DETAILS[known], code=known)
