"""Which arm runs when, and which records are whose. Pure.

Pairs run A B, B A, A B, ...: a drift that is linear in time cancels over two pairs, and no arm is always
the second. A pair that is made again keeps its number and so its order; the trial's number tells the two
attempts apart. A record carries its pair and its place in it, and so its arm.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..nouns import Record

ARMS = ("A", "B")


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two trials of one case that ran one after the other."""

    attempt: int
    """Number of its trials."""
    a: Record
    b: Record

    @property
    def records(self) -> tuple[Record, Record]:
        """Both, A first."""
        return self.a, self.b


def arm_at(pair: int, place: int) -> str:
    """The arm that runs at a place (0 or 1) of a pair (from 0 on)."""
    return ARMS[(pair + place) % 2]


def following(pair: int, count: int) -> tuple[str, ...]:
    """The arms of `count` trials of a case, from the first one of a pair on, if none is made again."""
    return tuple(arm_at(*divmod(len(ARMS) * pair + i, len(ARMS))) for i in range(count))


def arm_of(record: Record) -> str:
    """The arm of a record, or nothing where it is of no pair."""
    return "" if record.pair is None or record.order is None else arm_at(record.pair, record.order)
