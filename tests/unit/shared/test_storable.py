import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.db.storable import dump_json, storable_row

TEXTS = st.text(st.sampled_from('\0\\u0a"\n\ufffd'), max_size=20)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=20,
)


def without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")
    if isinstance(value, list):
        return [without_nul(one) for one in value]
    if isinstance(value, dict):
        return {without_nul(name): without_nul(one) for name, one in value.items()}
    return value


@given(DOCUMENTS)
def test_documents_are_stored_without_nul(document: Any) -> None:
    assert json.loads(dump_json(document)) == without_nul(document)


def test_texts_of_a_row_are_stored_without_nul() -> None:
    row = {"id": "1", "source": "a\0b\0", "count": 3, "nothing": None}
    assert storable_row(row) == {**row, "source": "a\ufffdb\ufffd"}
    assert row["source"] == "a\0b\0"
    assert storable_row({"id": "1"}) == {"id": "1"}
