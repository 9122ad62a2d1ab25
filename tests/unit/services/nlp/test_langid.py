import threading

import pytest

from services.nlp.inference.langid import LanguageDetector


@pytest.fixture(scope="module")
def detector() -> LanguageDetector:
    return LanguageDetector()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Where is the nearest railway station, please?", "en"),
        ("¿Dónde está la estación de tren más cercana?", "es"),
        ("निकटतम रेलवे स्टेशन कहाँ है?", "hi"),
        ("قریب ترین ریلوے اسٹیشن کہاں ہے؟", "ur"),
        ("On és l'estació de tren més propera?", "ca"),
    ],
)
def test_language(detector: LanguageDetector, text: str, language: str) -> None:
    guesses = detector.detect([text])[0]
    assert guesses[0].language == language
    assert len(guesses) == 3
    probabilities = [guess.probability for guess in guesses]
    assert probabilities == sorted(probabilities, reverse=True)
    assert 0.5 < sum(probabilities) <= 1.000001


@pytest.mark.parametrize("text", ["123", "!?", "😀"])
def test_no_letters(detector: LanguageDetector, text: str) -> None:
    assert [(guess.language, guess.probability) for guess in detector.detect([text])[0]] == [
        ("und", 0.0)
    ]


def test_threads_may_share_it(detector: LanguageDetector) -> None:
    texts = ["This is English.", "Esto es español."] * 50
    expected = detector.detect(texts)
    found: list[object] = []
    threads = [
        threading.Thread(target=lambda: found.append(detector.detect(texts))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4
