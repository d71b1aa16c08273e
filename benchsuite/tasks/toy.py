"""The embedded task: a seeded, generated corpus of sentiment about films, which needs no network.

Sentences come from a small grammar: polar words, negation that flips them, degrees that do not,
and contrast, where the last clause decides. A known share of labels is flipped, so the best
accuracy that can be had is known too. Not covered: natural language. What a model reaches here
says that training works, never how good it would be on real text.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from benchsuite.nouns import Examples, Split, UsageError

from ._checks import examples

VALIDATION_ROWS = 872
"""As many as SST-2 has, so that standard errors on the two tasks are alike."""
TRAIN_SEED, VALIDATION_SEED = 20_000, 872
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# A "+" marks where WordPiece must split a word. Stems are shared between the polarities on purpose:
# what a word means can then hang on its second piece alone.
POSITIVE = _words("""
    good great fine superb lovely brilliant clever smart funny warm fresh honest sweet elegant moving touching vivid
    bold gripping witty tender rich lively stylish subtle inspired sincere memorable perfect gorgeous solid sharp
    charm+ing thought+ful heart+felt delight+ful grace+ful master+ful power+ful taste+ful wonder+ful watch+able
    like+able enjoy+able believ+able beauti+ful
""")
NEGATIVE = _words("""
    bad awful poor dull boring silly stale cold lazy shallow clumsy tedious flat bland messy weak hollow noisy sloppy
    dreary cheap tired painful pointless ugly lame cheesy confused forced murky grim annoying
    charm+less thought+less heart+less joy+less grace+less life+less power+less taste+less aim+less un+watch+able
    un+like+able un+funny un+believ+able un+inspired
""")
LIKED = _words("loved enjoyed admired adored praised liked applauded")
DISLIKED = _words("hated disliked despised loathed endured regretted mocked")
TOPICS = _words("""
    film movie plot story acting cast script ending music dialogue camera pacing humor director hero villain romance
    opening editing score drama comedy sequel finale scenery lighting sound song+s costume+s character+s actor+s
    effect+s joke+s scene+s
""")
VERBS = _words("is was seems felt looked remained")
DEGREES = _words("very really quite truly so rather deeply extremely")
PEOPLE = _words("i we critics everyone audiences viewers")
NEGATIONS = ("not", "never", "hardly", "far from", "anything but")
LEADS = ("", "", "", "honestly ,", "in the end ,", "for once ,", "this time ,", "to me ,", "overall ,")
ENDS = (".", ".", "!", "")
CONTRASTS = ("{0} but {1}", "{0} , yet {1}", "although {0} , {1}", "even though {0} , {1}", "{0} ; still , {1}")
AGREEMENTS = ("{0} and {1}", "{0} , and {1}", "{0} ; {1}")


class _Writer:
    """Draws sentences. `random()` is the only method of `Random` whose series Python promises to keep."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed).random  # noqa: S311  # a corpus, not a secret

    def chance(self, share: float) -> bool:
        return self.draw() < share

    def one_of(self, among: Sequence[str]) -> str:
        return among[int(self.draw() * len(among))].replace("+", "")

    def degree(self) -> str:
        return self.one_of(DEGREES) + " " if self.chance(0.35) else ""

    def quality(self, *, good: bool) -> str:
        """An adjective of the polarity asked for, or the negation of one of the other."""
        if self.chance(0.3):
            return f"{self.one_of(NEGATIONS)} {self.degree()}{self.one_of(NEGATIVE if good else POSITIVE)}"
        return self.degree() + self.one_of(POSITIVE if good else NEGATIVE)

    def opinion(self, *, good: bool) -> str:
        """What people thought of something."""
        negated = self.chance(0.3)
        who = self.one_of(PEOPLE) + (" " + self.one_of(NEGATIONS[1:3]) if negated else "")
        return f"{who} {self.one_of(LIKED if good is not negated else DISLIKED)}"

    def clause(self, *, good: bool) -> str:
        topic = f"the {self.one_of(TOPICS)}"
        if self.chance(0.25):
            return f"{self.opinion(good=good)} {topic}"
        return f"{topic} {self.one_of(VERBS)} {self.quality(good=good)}"

    def body(self, *, good: bool) -> str:
        if self.chance(0.4):
            return self.clause(good=good)
        if self.chance(0.4):
            return self.one_of(AGREEMENTS).format(self.clause(good=good), self.clause(good=good))
        return self.one_of(CONTRASTS).format(self.clause(good=not good), self.clause(good=good))

    def sentence(self) -> tuple[str, int]:
        """One sentence and its true label."""
        good = self.chance(0.5)
        text = f"{self.one_of(LEADS)} {self.body(good=good)} {self.one_of(ENDS)}".strip()
        return text, int(good)


def sentences(seed: int, without: frozenset[str] = frozenset()) -> Iterator[tuple[str, int, float]]:
    """Distinct sentences, their true labels and a uniform draw each, for whoever adds noise; endless.

    Sentences in `without` are left out.
    """
    writer, seen = _Writer(seed), set(without)
    while True:
        text, label = writer.sentence()
        draw = writer.draw()
        if text not in seen:
            seen.add(text)
            yield text, label, draw


def _split(seed: int, rows: int, noise: float, without: frozenset[str] = frozenset()) -> Split:
    drawn = list(islice(sentences(seed, without), rows))
    return Split(
        texts=tuple(text for text, _, _ in drawn),
        labels=tuple(1 - label if draw < noise else label for _, label, draw in drawn),
    )


@dataclass(frozen=True, kw_only=True)
class Toy:
    """Sentiment of generated sentences, 872 for validation and as many for training as asked for."""

    name: str = "toy"
    revision: str = "1"
    """To be raised whenever the generator writes other rows; old baselines are incomparable then."""
    labels: tuple[str, ...] = ("negative", "positive")
    margin: float = 0.02
    """Accuracy that a change may cost before it counts as worse."""
    noise: float = 0.03
    """Share of labels flipped, in training and validation alike."""

    def check(self, data: str) -> None:
        """See that nobody expects data of their own to be read.

        Raises:
            UsageError: a folder is given.
        """
        if data:
            raise UsageError(
                f"the task {self.name!r} generates its own rows and would not read {data!r}. For data of yours give a "
                "model too (--suite-model FOLDER or a hub name: the task is sst2 then), or name the task (--suite-task "
                "sst2); or leave this task's cases out (--suite-profile, -m gpu), or --suite-data."
            )

    def load(self, data: str, train_rows: int) -> Examples:  # every task has this signature
        """The same rows on every machine; `data` is refused by `check`, no text is in both splits."""
        validation = _split(VALIDATION_SEED, VALIDATION_ROWS, self.noise)
        train = _split(TRAIN_SEED, train_rows, self.noise, without=frozenset(validation.texts))
        return examples(train, validation, "synthetic")

    def ceiling(self) -> float:
        """Share of validation rows whose label is true: the accuracy of whoever understands every sentence."""
        draws = [draw for _, _, draw in islice(sentences(VALIDATION_SEED), VALIDATION_ROWS)]
        return sum(draw >= self.noise for draw in draws) / VALIDATION_ROWS

    def vocabulary(self) -> tuple[str, ...]:
        """The word pieces that spell every sentence, special tokens first; a token's id is its place."""
        lists = (POSITIVE, NEGATIVE, LIKED, DISLIKED, TOPICS, VERBS, DEGREES, PEOPLE)
        phrases = " ".join((*NEGATIONS, *LEADS, *ENDS, *CONTRASTS, *AGREEMENTS, "the")).split()
        words = [word for group in lists for word in group] + [word for word in phrases if "{" not in word]
        pieces = {("##" if n else "") + piece for word in words for n, piece in enumerate(word.split("+"))}
        return (*SPECIAL, *sorted(pieces))


TASK = Toy()
