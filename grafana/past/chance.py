"""Chance that is the same each time: each series has dice of its own, so that none changes another."""

from math import exp, sin, sqrt, tau
from random import Random

_FEW = 12.0


def dice(*name: object) -> Random:
    """The dice of this name."""
    return Random("/".join(map(str, name)))  # noqa: S311  (plays users, keeps no secret)


def poisson(random: Random, mean: float) -> int:
    """How many events come where `mean` are expected (few by Knuth's method, many by the normal distribution)."""
    if mean > _FEW:
        return max(0, round(random.gauss(mean, sqrt(mean))))
    limit, product, count = exp(-mean), random.random(), 0
    while product > limit:
        product *= random.random()
        count += 1
    return count


class Wave:
    """Wanders slowly around 1: a few waves of lengths that share no rhythm."""

    def __init__(self, size: float, *name: object, hours: float = 1.0) -> None:
        random = dice("wave", *name)
        lengths = (0.21, 0.57, 1.3, 3.7, 11.0)
        self._waves = [(tau / (hours * 3600 * length), random.random() * tau) for length in lengths]
        self._size = size / len(lengths) * 1.6

    def __call__(self, moment: float) -> float:
        """Its value then, within about 1 - size and 1 + size."""
        return 1 + self._size * sum([sin(speed * moment + begin) for speed, begin in self._waves])
