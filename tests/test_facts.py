"""The figures that must come out exactly, on a model of BERT-base's shape: no network, no pretrained weights."""

import json
import shutil
from dataclasses import replace
from functools import cache

import pytest

from benchsuite import cases, checkpoints, environment, registry
from benchsuite.fixtures import build
from benchsuite.meters import model_map
from benchsuite.nouns import Job, Options, Status, Weights
from benchsuite.runners.local import LocalRunner

MB = 2**20
BERT_BASE = {
    "architectures": ["BertForMaskedLM"], "model_type": "bert", "hidden_size": 768, "num_hidden_layers": 12,
    "num_attention_heads": 12, "intermediate_size": 3072, "hidden_act": "gelu", "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1, "max_position_embeddings": 512, "type_vocab_size": 2,
    "initializer_range": 0.02, "layer_norm_eps": 1e-12, "pad_token_id": 0, "vocab_size": 30522,
}  # fmt: skip


@pytest.fixture(scope="module")
def shape(tmp_path_factory):
    """A folder with BERT-base's configuration and the embedded tokenizer: its ids lie within the vocabulary."""
    folder = tmp_path_factory.mktemp("shape") / "bert-base-shape"
    folder.mkdir()
    for file in checkpoints.EMBEDDED_FOLDER.iterdir():
        if file.suffix in (".json", ".txt"):
            shutil.copy(file, folder / file.name)
    (folder / "config.json").write_text(json.dumps(BERT_BASE))
    return folder


@pytest.fixture
def options(shape, tmp_path, monkeypatch):
    """Options for the shape with random weights, which are built in a cache of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(shape.parent / "cache"))
    return Options(
        profiles=("quick",), regimes=("fp32",), model=str(shape), weights=Weights.RANDOM, results=str(tmp_path)
    )


def one(options, regime):
    """The only case of a regime, on the embedded task's sentences."""
    (case,) = cases.cases(replace(options, regimes=(regime,)))
    return replace(case, task="toy", task_revision=registry.tasks()["toy"].revision)


@pytest.mark.parametrize(
    ("regime", "trainable", "stored"),
    [("fp32", 109_483_778, 109_483_778), ("qlora", 591_362, 67_312_900)],
)
def test_parameters_of_bert_base(options, regime, trainable, stored):
    """FP32 trains 109,483,778 parameters; QLoRA trains 591,362 and stores 67,312,900 elements."""
    found = model_map.describe(build(one(options, regime), options))
    assert found["params.trainable"] == trainable
    assert found["params.stored"] == stored


@pytest.fixture(scope="module")
def gpu():
    """The emptiest GPU, or a skip that says why."""
    found = environment.gpus()
    if not found:
        pytest.skip("no NVIDIA GPU here: NVML finds no driver")
    return environment.choose(found, "")


@pytest.fixture(scope="module")
def trial(shape, gpu, tmp_path_factory):
    """A function from a regime to the record of one short trial in a fresh process, each made once."""

    @cache
    def made(regime):
        folder = tmp_path_factory.mktemp(regime)
        options = Options(
            profiles=("quick",), model=str(shape), weights=Weights.RANDOM, results=str(folder), steps=6
        )  # fmt: skip
        case = one(options, regime)
        job = Job(
            cases=(case,), trial=0, pair=None, order=None, model_folder=checkpoints.resolve(options, case, 2), data="",
            inject="", machine=environment.machine_slug(gpu), parent_cuda=False, lean=True,
        )  # fmt: skip
        (folder / "logs").mkdir()
        (folder / "records").mkdir()
        (record,) = LocalRunner(gpu=gpu.uuid).run(job, folder, lambda _: None)
        assert record.status is Status.OK, record.problem
        return record

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(shape.parent / "cache"))
        yield made


@pytest.mark.gpu
@pytest.mark.parametrize(
    ("regime", "peak", "tolerance"), [("fp32", 2586, 0.01), ("qlora", 432, 0.02), ("qlora-nogc", 1218, 0.02)]
)
def test_training_peak_alone_in_a_process(trial, regime, peak, tolerance):
    """Batches of 16 x 128: FP32 peaks at 2586 MB, QLoRA at 432 with checkpointing and 1218 without."""
    assert trial(regime).metrics["vram.peak.train"].value / MB == pytest.approx(peak, rel=tolerance)


@pytest.mark.gpu
def test_bytes_of_the_reloaded_adapter_model(trial):
    """QLoRA after reload holds 90.2 MB, its unquantised modules in fp16."""
    assert trial("qlora").metrics["vram.after_reload"].value / MB == pytest.approx(90.2, rel=0.01)
