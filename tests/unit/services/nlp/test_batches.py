from hypothesis import given
from hypothesis import strategies as st

from services.nlp.services.batches import make_batches


@given(st.integers(1, 3_000), st.integers(1, 8), st.integers(1, 90))
def test_batches_are_even_and_in_order(count: int, parallel: int, largest: int) -> None:
    texts = [str(number) for number in range(count)]
    batches = make_batches(texts, parallel=parallel, largest=largest)
    assert [text for batch in batches for text in batch] == texts
    sizes = {len(batch) for batch in batches}
    assert min(sizes) >= 1
    assert max(sizes) <= largest
    assert max(sizes) - min(sizes) <= 1
    if len(batches) > parallel:
        assert len(batches) % parallel == 0 or min(sizes) == 1
