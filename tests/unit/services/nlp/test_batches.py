from hypothesis import given
from hypothesis import strategies as st

from services.nlp.services.batches import make_batches, staggered


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


def test_no_texts_are_no_batches() -> None:
    assert make_batches([], parallel=4, largest=90) == []


@given(st.integers(1, 8), st.integers(1, 90), st.integers(1, 500))
def test_of_the_first_batches_one_is_half_as_long(parallel: int, largest: int, more: int) -> None:
    texts = [str(number) for number in range(parallel * largest + more)]
    batches = staggered(texts, parallel=parallel, largest=largest)
    assert [len(batch) for batch in batches] == [-(-largest // 2)] + [largest] * (parallel - 1)
    assert [text for batch in batches for text in batch] == texts[: sum(map(len, batches))]
