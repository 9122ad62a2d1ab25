"""Bodies that are wrong in many places, and words with characters that nobody sees."""

from typing import Any

import pytest
from pydantic import BaseModel

from services.nlp.schemas.analysis import DetectionRequest, SentimentRequest
from services.nlp.schemas.annotation import PiiRequest, TextRequest
from services.nlp.schemas.conversation import ConversationRequest
from services.nlp.schemas.digest import KeywordRequest, SummaryRequest
from services.nlp.schemas.glossary import GlossaryChanges, NewGlossary
from services.nlp.schemas.translation import TranslationRequest
from services.nlp.schemas.transliteration import TransliterationRequest
from shared.openapi import ValidationFailed, validate

MANY = 1_000
CONFIG = {"language": {"sourceLanguage": "en", "targetLanguage": "es"}}
WRONG_ITEMS = {"input": [1] * MANY, "config": CONFIG}
WRONG_MEMBERS = {str(number): 1 for number in range(MANY)}
SEGMENT = {"speaker": "A", "start": 0, "end": 1, "text": "a"}


@pytest.mark.parametrize(
    ("model", "wrong"),
    [
        *(
            (model, WRONG_ITEMS)
            for model in (
                *(TranslationRequest, TransliterationRequest, SentimentRequest, DetectionRequest),
                *(TextRequest, PiiRequest, KeywordRequest, SummaryRequest),
            )
        ),
        (PiiRequest, {"input": [], "config": {**CONFIG, "policy": WRONG_MEMBERS}}),
        (TranslationRequest, {"input": [], "config": {**CONFIG, "glossary": WRONG_MEMBERS}}),
        (ConversationRequest, {"segments": [1] * MANY}),
        (ConversationRequest, {"segments": [SEGMENT], "roles": WRONG_MEMBERS}),
        (NewGlossary, {**CONFIG["language"], "terms": WRONG_MEMBERS}),
        (GlossaryChanges, {"terms": WRONG_MEMBERS}),
    ],
)
def test_of_very_many_wrong_entries_the_first_is_named(
    model: type[BaseModel], wrong: dict[str, Any]
) -> None:
    """The others would take seconds of the event loop."""
    with pytest.raises(ValidationFailed) as caught:
        validate(model, wrong)
    # A key of a policy may be one of two kinds, so that it is wrong in more than one way.
    assert len(caught.value.members["errors"]) <= 3


def test_terms_are_spelled_with_joiners() -> None:
    language = {"sourceLanguage": "fa", "targetLanguage": "hi"}
    terms = {"\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645": "\u0915\u094d\u200d\u0937"}
    assert validate(NewGlossary, {**language, "terms": terms}).terms == terms
    with pytest.raises(ValidationFailed):
        validate(NewGlossary, {**language, "terms": {"a\u202eb": "c"}})
