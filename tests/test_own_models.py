"""Models and data of one's own, set by configuration: what their architecture tells, and real trials on the CPU."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import own_models
import pytest
from replays import ROOT

from benchsuite import architecture, builders, cases, checkpoints, registry, store
from benchsuite.fixtures import build, parts
from benchsuite.nouns import Entry, Model, Options, Record, Setting, Status, SuiteError

# Models are built in this process: what the libraries deprecate of each other is no matter of ours.
pytestmark = [pytest.mark.filterwarnings(f"ignore::{kind}") for kind in ("DeprecationWarning", "FutureWarning")]
REAL = ROOT / ".." / "shared" / "data" / "glue" / "sst2"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two models and data."""
    made = tmp_path_factory.mktemp("own")
    own_models.llama(made / "models" / "tiny-llama")
    own_models.modernbert(made / "models" / "tiny-modernbert")
    own_models.data(made / "data")
    return made


# ---------------------------------------------------------------- what an architecture tells


def setting(name: str, **spec: Any) -> Setting:
    """A setting of a model of that name."""
    (case,) = cases.cases(Options(profiles=("tiny",), regimes=("qlora",)))
    return replace(parts(case)[1], model=Model(id=name, **spec))


def resolved(home: Path, name: str, *, adapted: bool = True, **spec: Any) -> Model:
    """The model as a quantised trial has it."""
    folder = str(home / "models" / name)
    return builders.resolve(setting(name, **spec), folder, quantised=True, adapted=adapted).model


def test_a_head_is_what_stands_beside_the_base(home: Path) -> None:
    """Only what holds parameters; what was named is taken as it is."""
    assert resolved(home, "tiny-llama").unquantised == ("score",)
    assert resolved(home, "tiny-modernbert", lora_targets=("Wqkv",)).unquantised == ("head", "classifier")
    assert resolved(home, "tiny-modernbert", adapted=False, unquantised=("classifier",)).unquantised == ("classifier",)


def test_layers_that_peft_does_not_know_are_asked_for_by_the_exact_line(home: Path) -> None:
    """With the likeliest of this very model's layers, ready to be copied."""
    with pytest.raises(SuiteError) as error:
        resolved(home, "tiny-modernbert")
    assert str(error.value) == (
        "peft does not know to which layers of tiny-modernbert, of the architecture 'modernbert', adapters go. "
        'Add to pyproject.toml, under [[tool.benchsuite.case]] with model = "tiny-modernbert" (its folder, if it has '
        'one), the line: lora_targets = ["Wqkv"]. Its linear layers: Wi, Wo, Wqkv.'
    )


def test_layers_that_the_model_has_not_are_told_with_those_it_has(home: Path) -> None:
    """A wrong line is mended by the right one."""
    wrong = Entry(model=str(home / "models" / "tiny-llama"), lora_targets=("query",), regimes=("lora",))
    options = Options(profiles=("tiny",), regimes=("fp32",), entries=(wrong,))
    with pytest.raises(SuiteError) as error:
        build(cases.cases(options)[-1], options)
    assert str(error.value).startswith("Lora cannot prepare tiny-llama: ")
    assert 'the line: lora_targets = ["q_proj", "v_proj"]. Its linear layers: down_proj, gate_proj,' in str(error.value)


def test_a_head_that_cannot_be_told_is_asked_for_by_the_exact_line(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rather than everything kept, or the head quantised."""
    model = Model(id="tiny-llama")
    shape = architecture.shape(str(home / "models" / "tiny-llama"), model)
    monkeypatch.setattr(type(shape), "base_model_prefix", "decoder")
    with pytest.raises(SuiteError) as error:
        architecture.heads(shape, model)
    assert "it has model, score, and none beside a base model called 'decoder'. Add to pyproject.toml" in str(
        error.value
    )
    assert str(error.value).endswith('the line: unquantised = ["score"].')


def test_an_architecture_without_a_classifier_is_refused(tmp_path: Path) -> None:
    """No line of configuration would help."""
    (tmp_path / "config.json").write_text('{"model_type": "vit"}')
    with pytest.raises(SuiteError, match=r"some-vit is of the architecture 'vit', which has no sequence classifier"):
        architecture.shape(str(tmp_path), Model(id="some-vit"))


def test_a_pad_token_is_the_specs_or_the_end_of_a_text(home: Path, tmp_path: Path) -> None:
    """A tokenizer with neither is asked for it; the model is told, or it would refuse batches."""
    folder = str(home / "models" / "tiny-llama")
    assert builders.load_tokenizer(folder, setting("tiny-llama")).pad_token == "</s>"
    assert builders.load_tokenizer(folder, setting("tiny-llama", pad_token="<pad>")).pad_token == "<pad>"
    own_models.tokenizer(tmp_path / "bare")
    with pytest.raises(SuiteError, match=r'neither a pad token nor .* the line: pad_token = "<unk>"\.'):
        builders.load_tokenizer(str(tmp_path / "bare"), setting("bare"))
    added = Entry(model=folder, pad_token="<pad>")
    options = Options(profiles=("tiny",), regimes=("fp32",), entries=(added,))
    model = build(cases.cases(options)[-1], options)
    assert model.config.pad_token_id == own_models.SPECIAL.index("<pad>")


# ---------------------------------------------------------------- trials

PYPROJECT = """
[tool.pytest.ini_options]

[[tool.benchsuite.case]]
profile = "tiny"
model = "models/tiny-llama"
data = "data"

[[tool.benchsuite.case]]
profile = "tiny"
model = "models/tiny-modernbert"
weights = "random"
lora_targets = "Wqkv"
data = "data"
"""


def begin(home: Path, model: str) -> subprocess.Popen[str]:
    """`pytest` on one model's cases, a few steps each, in a process of its own."""
    command = ("test_own.py", "--suite-steps=4", f"--suite-results={model}", "-k", f"memory and {model}", "-q")
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", *command, "-p", "no:cacheprovider"], cwd=home, text=True,
        env=checkpoints.child_environment() | {"XDG_CACHE_HOME": str(home / "cache")}, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )  # fmt: skip


@pytest.fixture(scope="module")
def measured(home: Path) -> Mapping[tuple[str, str], Record]:
    """A short run of each model under both regimes, at the same time: by model and regime."""
    (home / "pyproject.toml").write_text(PYPROJECT)
    (home / "conftest.py").write_text((ROOT / "conftest.py").read_text())
    (home / "test_own.py").write_text((ROOT / "bench" / "test_measures.py").read_text())
    running = {model: begin(home, model) for model in ("tiny-llama", "tiny-modernbert")}
    found = {}
    for model, process in running.items():
        said, _ = process.communicate()
        assert process.returncode == 0, said[-3000:]
        for record in store.load_run((home / model / "latest").resolve()):
            found[record.case.model.id, record.case.regime] = record
    return found


@pytest.mark.slow
@pytest.mark.parametrize("regime", ["fp32", "qlora"])
@pytest.mark.parametrize("model", ["tiny-llama", "tiny-modernbert"])
def test_a_model_of_ones_own_is_measured_on_data_of_ones_own(
    measured: Mapping[tuple[str, str], Record], model: str, regime: str
) -> None:
    """From configuration to a good record: what was asked for was used, every probe of the model answered."""
    record = measured[model, regime]
    assert record.status is Status.OK, record.problem
    assert (record.case.task, record.provenance.data) == ("sst2", "real")
    assert len(record.predictions.logits) == 48
    assert record.provenance.weights == ("random" if model == "tiny-modernbert" else "real")
    share = record.metrics["params.trainable"].value / record.metrics["params.total"].value
    assert share == 1.0 if regime == "fp32" else share < 0.2
    told = {name: value for name, value in record.fingerprint.items() if not name.startswith("defaults.")}
    assert not [name for name, value in told.items() if "crash: " in str(value)]
    assert not [name for name, found in record.metrics.items() if isinstance(found.value, str)]


@pytest.mark.slow
def test_adapters_went_where_they_were_sent(measured: Mapping[tuple[str, str], Record]) -> None:
    """To peft's own layers, and to those that the configuration names; each head stays whole."""
    for model, layer, head in (("tiny-llama", "q_proj", "score"), ("tiny-modernbert", "Wqkv", "classifier")):
        modules = measured[model, "qlora"].fingerprint["model.modules"]
        assert any(f"{layer}.lora_A" in name for name in modules)
        assert not any("4bit" in str(kind) for name, kind in modules.items() if head in name)


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_dir(), reason="the real SST-2 is not at ../shared/data/glue/sst2")
def test_real_data_can_be_asked_of_the_embedded_model(tmp_path: Path) -> None:
    """By naming the task: the rows are read, and the record says so."""
    done = subprocess.run(
        [sys.executable, "-m", "benchsuite", "run", "--task", "sst2", "--data", str(REAL), "--steps", "4",
         "--regimes", "fp32"],
        cwd=tmp_path, env=checkpoints.child_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    (record,) = store.load_run((tmp_path / "results" / "latest").resolve())
    assert (record.case.task, record.provenance.data, record.case.model.id) == ("sst2", "real", "toy-bert")
    assert record.provenance.data_digest == registry.tasks()["sst2"].load(str(REAL), 1600).digest
