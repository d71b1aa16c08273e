"""Wall time of the phases, throughput of training."""

from __future__ import annotations

from collections.abc import Mapping

from ..nouns import Better, Kind, Measured, Metric, Phase
from ..plans import total_steps
from ..scene import Meter, Scene


def _time(name: str, concern: str, title: str, relative: float) -> Metric:
    return Metric(
        name=name, unit="s", kind=Kind.WALL, concern=concern, title=title, better=Better.LOWER, relative=relative
    )


TOKENISE = _time("time.tokenise", "load", "tokenising", 0.5)
LOAD = _time("time.load", "load", "model load", 0.5)
RELOAD = _time("time.reload", "load", "model reload", 0.5)
TRAIN = _time("time.train", "training", "training", 0.25)
THROUGHPUT = Metric(
    name="throughput.train", unit="1/s", kind=Kind.WALL, concern="training", title="examples trained a second",
    better=Better.HIGHER, relative=0.25,
)  # fmt: skip
OWNER = {Phase.LOAD: (TOKENISE, LOAD), Phase.TRAIN: (TRAIN,), Phase.RELOAD: (RELOAD,)}


class DurationMeter(Meter):
    """Reads the durations that the phases took of themselves, device settled on both ends."""

    name = "durations"
    metrics = (TOKENISE, LOAD, RELOAD, TRAIN, THROUGHPUT)

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """See `Meter.stop`."""
        found = {m.name: Measured(value=scene.seconds[m.name]) for m in OWNER.get(phase, ())}
        if phase is Phase.TRAIN:
            profile = scene.case.profile
            rows = len(scene.rows["train"])
            seen = profile.train_batch * profile.max_steps if profile.max_steps > 0 else rows * profile.epochs
            assert total_steps(profile, rows) > 0
            found[THROUGHPUT.name] = Measured(value=seen / scene.seconds[TRAIN.name])
        return found


METER = DurationMeter
