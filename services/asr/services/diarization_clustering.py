"""Groups voice vectors by average linkage (cosine distance), in bounded memory and time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Labels = NDArray[np.int64]

MAX_AT_ONCE = 800
"""Vectors of one linkage: 800 take 3 MB and 0.1 s, and both grow with the square."""


@dataclass(frozen=True, slots=True)
class SpeakerCount:
    """How many groups are wanted.

    Attributes:
        fewest: At least so many, as far as there are vectors.
        most: At most so many; None is any number.
        threshold: Mean cosine distance up to which two groups are one, where the bounds leave
            a choice.
    """

    fewest: int = 1
    most: int | None = None
    threshold: float = 0.3


def unit(vectors: Vectors) -> Vectors:
    """Vectors of length 1; zero stays zero."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: Vectors = (vectors / np.maximum(length, 1e-9)).astype(np.float32)
    return scaled


def cluster(vectors: Vectors, weights: NDArray[np.float64], wanted: SpeakerCount) -> Labels:
    """The group of each vector, numbered by their first appearance.

    Many vectors are grouped in two stages: neighbours in time first, within a closer distance,
    then the groups' means.

    Args:
        vectors: `[n, d]`, each of length 1.
        weights: `[n]`, how much each counts.
        wanted: How many groups.
    """
    count = len(vectors)
    if count <= MAX_AT_ONCE:
        return _numbered(_linked(vectors, weights, wanted))
    parts = -(-count // MAX_AT_ONCE)
    # The groups of all parts must fit the second stage.
    most = max(MAX_AT_ONCE // parts, 2)
    first = SpeakerCount(fewest=1, most=most, threshold=wanted.threshold * 0.6)
    labels = np.empty(count, np.int64)
    made = 0
    for rows in np.array_split(np.arange(count), parts):
        own = _linked(vectors[rows], weights[rows], first)
        labels[rows] = own + made
        made += int(own.max()) + 1
    means, mass = group_means(vectors, weights, labels, made)
    return _numbered(cluster(means, mass, wanted)[labels])


def group_means(
    vectors: Vectors, weights: NDArray[np.float64], labels: Labels, groups: int
) -> tuple[Vectors, NDArray[np.float64]]:
    """The direction and the weight of each group: `[groups, d]`, `[groups]`."""
    sums = np.zeros((groups, vectors.shape[1]))
    np.add.at(sums, labels, vectors * weights[:, None])
    mass: NDArray[np.float64] = np.bincount(labels, weights, groups).astype(np.float64)
    return unit(sums.astype(np.float32)), mass


def _linked(vectors: Vectors, weights: NDArray[np.float64], wanted: SpeakerCount) -> Labels:
    """Average linkage: the nearest two groups become one, until the count and distance fit."""
    count = len(vectors)
    if count == 1:
        return np.zeros(1, np.int64)
    merges = sorted(_chain(vectors, weights), key=lambda merge: merge[2])
    parents = list(range(count))
    groups = count
    for one, other, distance in merges:
        enough = wanted.most is None or groups <= wanted.most
        if groups <= wanted.fewest or (enough and distance > wanted.threshold):
            break
        parents[_root(parents, other)] = _root(parents, one)
        groups -= 1
    roots = [_root(parents, index) for index in range(count)]
    found: Labels = np.unique(roots, return_inverse=True)[1].astype(np.int64)
    return found


def _chain(vectors: Vectors, weights: NDArray[np.float64]) -> list[tuple[int, int, float]]:
    """Every merge of average linkage by the nearest-neighbour chain (Murtagh, 1983).

    Each names a vector of both groups, and their mean distance. The order is not that of the
    distances; sorted by them, it is the usual dendrogram, for average linkage has no inversions.
    """
    count = len(vectors)
    distances = 1.0 - (vectors @ vectors.T).astype(np.float64)
    np.fill_diagonal(distances, np.inf)
    mass = weights.astype(np.float64).copy()
    merges: list[tuple[int, int, float]] = []
    chain: list[int] = []
    alive = np.ones(count, bool)
    while len(merges) < count - 1:
        if not chain:
            chain = [int(np.argmax(alive))]
        while True:
            last = chain[-1]
            row = distances[last]
            nearest = int(np.argmin(row))
            # A tie goes to the one before, or the chain would never end.
            if len(chain) > 1 and row[chain[-2]] <= row[nearest]:
                break
            chain.append(nearest)
        one, other = chain.pop(), chain.pop()
        merges.append((one, other, float(distances[one, other])))
        total = mass[one] + mass[other]
        joined = (distances[one] * mass[one] + distances[other] * mass[other]) / total
        joined[one] = np.inf
        distances[one], distances[:, one] = joined, joined
        distances[other], distances[:, other] = np.inf, np.inf
        mass[one] = total
        alive[other] = False
    return merges


def _root(parents: list[int], index: int) -> int:
    while parents[index] != index:
        parents[index] = parents[parents[index]]
        index = parents[index]
    return index


def _numbered(labels: Sequence[int] | Labels) -> Labels:
    """The labels 0, 1, 2… in order of appearance."""
    order: dict[int, int] = {}
    return np.array([order.setdefault(int(label), len(order)) for label in labels], np.int64)
