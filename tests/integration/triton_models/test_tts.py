"""The tts model on the real server."""

import asyncio
import json
from typing import Any

import jiwer
import numpy as np
import pytest
import soxr
from numpy.typing import NDArray
from tritonclient.grpc import InferRequestedOutput
from tritonclient.utils import InferenceServerException

SENTENCE = "He might even have been made amiable himself."


async def speak(client: Any, text: str, language: str = "en", **more: Any) -> NDArray[np.float32]:
    more.setdefault("INPUT_SPEAKER_ID", "female")
    audio: NDArray[np.float32] = await client.infer(
        "tts", INPUT_TEXT=text, INPUT_LANGUAGE_ID=language, **more
    )
    assert audio.dtype == np.float32
    assert np.abs(audio).max() <= 1
    return audio


async def test_speech_is_audible_and_read_back(client: Any) -> None:
    text = "I would like to buy two tickets to London."
    audio = await speak(client, text)
    assert 2 < audio.size / 22_050 < 6
    assert np.std(audio) > 0.02
    pcm = (soxr.resample(audio, 22_050, 16_000) * 32767).astype(np.int16)
    heard = json.loads((await client.infer("asr", AUDIO_PCM=pcm, LANG_ID="en"))[0])["text"]
    assert jiwer.wer(text.lower().rstrip("."), heard) <= 0.5, heard


async def test_voices_languages_and_speeds_differ(client: Any) -> None:
    texts = {"hi": "नमस्ते दुनिया", "es": "hola mundo", "ta": "வணக்கம்", "en-GB": "hello world"}
    for language, text in texts.items():
        assert (await speak(client, text, language)).size > 8000
    female, male = [await speak(client, SENTENCE, INPUT_SPEAKER_ID=s) for s in ("female", "male")]
    assert not np.array_equal(female, male)
    named = await speak(client, SENTENCE, INPUT_SPEAKER_ID="en-us+f5")
    assert np.array_equal(female, named)
    fast = await speak(client, SENTENCE, SPEED=280.0)
    assert fast.size < 0.7 * female.size


# A greeting in each language; a voice for another script would spell it out, or be silent.
_GREETINGS = """
en: good morning | hi: सुप्रभात | bn: সুপ্রভাত | ta: காலை வணக்கம் | te: శుభోదయం |
mr: शुभ प्रभात | gu: સુપ્રભાત | kn: ಶುಭೋದಯ | ml: സുപ്രഭാതം | pa: ਸ਼ੁਭ ਸਵੇਰ |
or: ଶୁଭ ସକାଳ | as: সুপ্ৰভাত | ne: शुभ प्रभात | ur: صبح بخیر | sd: صبح جو سلام |
si: සුබ උදෑසනක් | kok: देव बरी सकाळ दिंव | ca: bon dia | es: buenos días |
fr: bonjour à tous | de: guten Morgen | it: buongiorno | pt: bom dia | nl: goedemorgen |
pl: dzień dobry | ru: доброе утро | uk: доброго ранку | tr: merhaba | ar: صباح الخير |
fa: صبح بخیر | el: καλημέρα | sv: god morgon | da: godmorgen | fi: hyvää huomenta |
cs: dobré ráno | ro: bună dimineața | hu: jó reggelt | id: selamat pagi |
ms: selamat pagi | vi: chào buổi sáng | sw: habari za asubuhi | ja: おはようございます |
ko: 좋은 아침 | zh: 早上好
"""
GREETINGS = dict(entry.strip().split(": ") for entry in _GREETINGS.split("|"))


async def test_every_language_of_the_configuration_speaks(client: Any) -> None:
    config = (await client.grpc.get_model_config("tts", as_json=True))["config"]
    languages = config["parameters"]["languages"]["string_value"].split(",")
    assert config["parameters"]["sampling_rate"]["string_value"] == "22050"
    assert len(languages) >= 30
    assert set(languages) == set(GREETINGS)
    heard = {code: await speak(client, GREETINGS[code], code) for code in languages}
    for code, audio in heard.items():
        assert 0.4 < audio.size / 22_050 < 6, code
        assert np.std(audio) > 0.01, code


async def test_pitch_is_a_factor_of_the_voice(client: Any) -> None:
    def base(audio: NDArray[np.float32]) -> float:
        """The pitch of a steady vowel, Hz, by autocorrelation."""
        middle = audio[audio.size // 2 - 1500 : audio.size // 2 + 1500]
        found = np.correlate(middle, middle, "full")[middle.size - 1 :]
        shortest = 22_050 // 600
        return 22_050 / float(shortest + np.argmax(found[shortest : 22_050 // 50]))

    audio = {
        pitch: await speak(client, "aaah", INPUT_SPEAKER_ID="male", PITCH=pitch)
        for pitch in (0.75, 1.0, 1.5)
    }
    own = base(audio[1.0])
    assert np.array_equal(audio[1.0], await speak(client, "aaah", INPUT_SPEAKER_ID="male"))
    assert base(audio[1.5]) / own == pytest.approx(1.5, rel=0.15)
    assert base(audio[0.75]) / own == pytest.approx(0.75, rel=0.15)


async def test_the_sound_is_also_given_as_integers(client: Any) -> None:
    names = ("AUDIO_PCM", "OUTPUT_GENERATED_AUDIO")
    request = {"INPUT_TEXT": SENTENCE, "INPUT_SPEAKER_ID": "male", "INPUT_LANGUAGE_ID": "en"}
    pcm, audio = await client.outputs("tts", *names, **request)
    assert pcm.dtype == np.int16
    assert np.array_equal(pcm.astype(np.float32) / 32768, audio)
    only = await client.grpc.infer(
        "tts",
        [client.tensor("tts", name, value) for name, value in request.items()],
        outputs=[InferRequestedOutput("AUDIO_PCM")],
    )
    assert [one.name for one in only.get_response().outputs] == ["AUDIO_PCM"]


@pytest.mark.parametrize(
    "text",
    [
        "-f /etc/passwd",
        "--help",
        '<audio src="/etc/passwd"/>',
        "hello\x0150P world",
        "[[h@loU]]",
        "line\nline\r\n\ttab",
        "😀",
        "…",
        "क" * 100,
    ],
)
async def test_odd_texts_are_only_spoken(client: Any, text: str) -> None:
    assert (await speak(client, text)).size > 0


async def test_markup_is_read_out_not_obeyed(client: Any) -> None:
    slow = await speak(client, '<prosody rate="10%">hello world</prosody>')
    assert slow.size / 22_050 < 8  # obeyed, two words would take ten times their length


async def test_phoneme_names_are_not_obeyed(client: Any) -> None:
    named = await speak(client, "[[h@loU w3:ld]]")
    assert not np.array_equal(named, await speak(client, "hello world"))


async def test_the_longest_text(client: Any) -> None:
    audio = await speak(client, "a " * 2500)
    assert audio.size / 22_050 > 60


async def test_two_at_once(client: Any) -> None:
    one, two = await asyncio.gather(speak(client, "one"), speak(client, SENTENCE))
    assert np.array_equal(one, await speak(client, "one"))
    assert np.array_equal(two, await speak(client, SENTENCE))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"INPUT_TEXT": ""}, "empty_text:"),
        ({"INPUT_TEXT": " \n"}, "empty_text:"),
        ({"INPUT_TEXT": "a\0b"}, "invalid_text:"),
        ({"INPUT_TEXT": b"\xff\xfe"}, "invalid_text:"),
        ({"INPUT_TEXT": "a" * 5001}, "text_too_long:"),
        ({"INPUT_TEXT": "a" * 3_000_000}, "text_too_long:"),
        ({"INPUT_LANGUAGE_ID": "xx"}, "unsupported_language: en,"),
        ({"INPUT_LANGUAGE_ID": "en;id"}, "unsupported_language: en,"),
        ({"INPUT_LANGUAGE_ID": "en\n"}, "unsupported_language: en,"),
        ({"INPUT_SPEAKER_ID": "-f /etc/passwd"}, "unknown_speaker:"),
        ({"INPUT_SPEAKER_ID": "es+f5"}, "unknown_speaker:"),
        ({"INPUT_SPEAKER_ID": ""}, "unknown_speaker:"),
        ({"SPEED": 10_000.0}, "invalid_parameter: SPEED"),
        ({"SPEED": float("nan")}, "invalid_parameter: SPEED"),
        ({"PITCH": 2.5}, "invalid_parameter: PITCH"),
        ({"PITCH": float("nan")}, "invalid_parameter: PITCH"),
    ],
)
async def test_bad_requests(client: Any, values: dict[str, Any], message: str) -> None:
    request = {"INPUT_TEXT": "hi", "INPUT_SPEAKER_ID": "male", "INPUT_LANGUAGE_ID": "en", **values}
    with pytest.raises(InferenceServerException, match=message) as caught:
        await client.infer("tts", **request)
    assert caught.value.status() == "StatusCode.INVALID_ARGUMENT"
