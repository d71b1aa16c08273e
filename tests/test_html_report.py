"""`report.html` and `benchsuite report`: the whole page, read as a browser reads it, and in one where there is one.

`python tests/test_html_report.py` rewrites the golden file; read the difference before you keep it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from judging import GOLDEN, cpu_result, result, run, unchanged
from pages import Page, case_result, failed, whole
from typer.testing import CliRunner

from benchsuite import cli, registry, report, store
from benchsuite.nouns import Measured, Outcome, RunResult
from benchsuite.page.points import points
from benchsuite.promote import promote
from benchsuite.registry import reporters
from benchsuite.reporters.html import Html

ROOT = Path(__file__).parents[1]
TINY = Path(__file__).parent / "data" / "tiny-run"
PAGE = GOLDEN / "small-report.html"
LARGEST = 3 * 2**20
EVIL = "<script>alert(1)</script>\"'&<img src=x onerror=alert(2)>"
CASES = {
    "whole": whole,
    "one regime, no baseline": lambda: run(case_result(baseline=False)),
    "failed": failed,
    "cpu": lambda: replace(run(cpu_result()), published={}),
    "empty": lambda: RunResult(run="r", machine="", results=(), published={}),
}


def render(given: RunResult) -> str:
    """The page of a run, through the registry."""
    page: str = reporters()["html"].render(given)
    return page


def small() -> str:
    """What is golden: a small run's page without its style, whose every change would otherwise change it."""
    return re.sub(r"<style>.*?</style>", "<style></style>", render(run(unchanged())), flags=re.DOTALL)


def test_golden() -> None:
    """The whole page of a small run is as approved."""
    assert small() == PAGE.read_text(encoding="utf-8")


# ---------------------------------------------------------------- what any page must be


@pytest.mark.parametrize("name", CASES)
def test_a_page_is_well_formed_and_stands_alone(name: str) -> None:
    """Elements nest, ids are unique, links of the page lead somewhere, and nothing is fetched from anywhere."""
    text = render(CASES[name]())
    page = Page(text)
    ids = [attributes["id"] for _, attributes, _ in page.found if "id" in attributes]
    assert len(set(ids)) == len(ids)
    assert {link["href"] for link in page.all("a")} <= {f"#{id_}" for id_ in ids}
    sources = [v for _, attributes, _ in page.found for k, v in attributes.items() if k in {"src", "href", "srcset"}]
    assert {source for source in sources if not str(source).startswith("#")} == {"data:,"}
    assert not page.all("script")
    assert not re.search(r"url\(|@import|@font-face", text)
    assert "None" not in re.findall(r">([^<>]*)<", text)


@pytest.mark.parametrize("name", CASES)
def test_every_figure_has_title_description_and_table(name: str) -> None:
    """Who cannot see a drawing hears what it is and what it says, and finds the figures behind it."""
    page = Page(render(CASES[name]()))
    ids = {attributes.get("id") for _, attributes, _ in page.found}
    drawings = page.all("svg")
    for svg in drawings:
        assert svg["role"] == "img"
        assert set(str(svg["aria-labelledby"]).split()) <= ids
    inside = [parents for tag, _, parents in page.found if tag == "table" and "figure" in parents]
    assert len(drawings) == len(page.all("figure")) == len(inside)
    assert all("details" in parents for parents in inside)
    assert len(page.all("caption")) == len(page.all("table"))


def test_a_whole_page_has_its_sections_in_order() -> None:
    """Verdicts first, then what the figures are about, the environment last."""
    page = Page(render(whole()))
    found = [section["id"] for section in page.all("section")]
    assert found == [
        "verdicts", "cases", "published", "steps", "memory", "loss", "regimes", "work", "history", "figures", "where",
    ]  # fmt: skip
    assert len(page.all("figure")) == 2 + 2 + 2 + 2 + 2 * 6


def test_words_from_records_cannot_become_elements() -> None:
    """Names, problems, packages and details may hold anything; the page stays a page and says it."""
    case = case_result(slower=1.3)
    environment = replace(case.records[0].environment, packages={"torch": EVIL, EVIL: "1"}, notes={EVIL: EVIL})
    parts = dict(case.records[0].fingerprint) | {"kernels.by_name": {EVIL: 3}, "kernels.times": {EVIL: 0.1}}
    records = (
        replace(case.records[0], environment=environment, fingerprint=parts, injected=EVIL),
        replace(failed().results[0].records[0], problem=EVIL),
    )
    verdicts = tuple(
        replace(v, title=EVIL, detail=EVIL, cause=f"{EVIL}; {EVIL}", advice=EVIL, new=EVIL, outcome=Outcome.CHANGED)
        for v in case.verdicts
    )
    text = render(replace(run(replace(case, records=records, verdicts=verdicts)), run=EVIL, machine=EVIL))
    page = Page(text)
    assert not page.all("script")
    assert not page.all("img")
    assert EVIL in page.said("h1") + page.said("li") + page.said("td")


def test_half_a_character_is_no_reason_to_fail() -> None:
    """A lone surrogate, which a record's JSON can hold, does not keep the page from being written."""
    text = render(replace(run(cpu_result()), machine="a\ud800b"))
    assert "a?b" in text
    assert text.encode("utf-8")


def test_a_run_of_sixteen_regimes_stays_small() -> None:
    """All that a page can hold, sixteen times over with a history of a hundred runs, is under 3 MB."""
    record = store.load_run(TINY)[0]
    parts = {"kernels.by_name": {f"k{i}" * 200: 1 for i in range(80)}}
    cases = [replace(record.case, regime=f"r{i}") for i in range(16)]
    found = tuple(result(case, (replace(record, case=case, fingerprint={**record.fingerprint, **parts}),), None)
                  for case in cases)  # fmt: skip
    own = points("", [r for one in found for r in one.records], promoted=False)
    history = {key: [replace(point, run=f"{i}", when=f"{i:03d}") for i in range(100)] for key, point in own.items()}
    assert len(Html().render(replace(run(*found), published={}), history).encode()) < LARGEST


def test_earlier_points_stand_in_the_history() -> None:
    """What the caller knows of other runs is drawn and listed."""
    given = run(case_result(baseline=False))
    assert 'id="history"' not in render(given)
    older = points("20250101-000000-aaaaaa", given.results[0].records, promoted=False)
    text = Html().render(given, {key: [point] for key, point in older.items()})
    assert 'id="history"' in text
    assert "20250101-000000-aaaaaa" in text


# ---------------------------------------------------------------- colours


STYLE = (ROOT / "benchsuite" / "reporters" / "report.css.j2").read_text(encoding="utf-8")
TEXTS = ("ink", "muted", "link", "fail", "open", "fine")
MARKS = ("new", "old", "weights", "workspace", "saved", "rest", "version")
ENOUGH = {**dict.fromkeys(TEXTS, 4.5), **dict.fromkeys(MARKS, 3.0)}
"""WCAG 2.2 AA: text, and what must be seen to understand a figure."""


def palettes() -> dict[str, dict[str, str]]:
    """The colours of each theme by name."""
    blocks = re.findall(r":root \{(.*?)\}", STYLE, flags=re.DOTALL)
    found = [dict(re.findall(r"--([a-z]+): (#[0-9a-f]{3,6})", block)) for block in blocks]
    return dict(zip(("light", "dark", "print"), found, strict=True))


def luminance(colour: str) -> float:
    """Relative luminance as WCAG has it."""
    digits = colour[1:] if len(colour) == 7 else "".join(c * 2 for c in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    """Between 1 and 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_computed_as_wcag_has_it() -> None:
    """Black on white is 21, and a grey known to fail fails."""
    assert contrast("#000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") < 4.5


@pytest.mark.parametrize(("theme", "name"), list(product(("light", "dark", "print"), ENOUGH)))
def test_colours_can_be_told_from_the_page(theme: str, name: str) -> None:
    """Contrast AA against the page, and of texts against a panel too."""
    colours = palettes()[theme]
    grounds = ("page", "panel") if name in TEXTS else ("page",)
    assert min(contrast(colours[name], colours[ground]) for ground in grounds) >= ENOUGH[name]


# ---------------------------------------------------------------- the command


def invoke(*arguments: str) -> tuple[int, str]:
    """Exit code and output of `benchsuite report`."""
    done = CliRunner().invoke(cli.app, ["report", *arguments])
    return done.exit_code, done.output if done.exception is None else f"{done.output}{done.exception}"


def test_the_page_judges_as_the_run_did(tmp_path: Path) -> None:
    """What known.toml accepts is known on the page too, and an entry of no use is told there."""
    promote([TINY], baselines=tmp_path, only="", reason="first", now="2025-11-03", metrics=registry.metrics())
    moved = tuple(
        replace(r, metrics={**r.metrics, "params.trainable": Measured(value=1)}) for r in store.load_run(TINY)
    )
    before = report.judged("run", moved, tmp_path, {})
    (tmp_path / "known.toml").write_text(
        '[[known]]\ncase = "*"\nmetric = "params.trainable"\nbound = "any"\nuntil = 2999-01-01\nreason = "ours"\n'
        '[[known]]\ncase = "*"\nmetric = "energy.train"\nbound = "any"\nuntil = 2999-01-01\nreason = "a slip"\n'
    )
    after = report.judged("run", moved, tmp_path, {})
    told = [
        {v.outcome for result in run.results for v in result.verdicts if v.metric == "params.trainable"}
        for run in (before, after)
    ]
    assert Outcome.KNOWN not in told[0]
    assert told[1] == {Outcome.KNOWN}
    assert len(after.remarks) == 1
    assert "energy.train" in after.remarks[0]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A folder with two runs and a planted one, the newest of them the latest."""
    folder = tmp_path / "results"
    for day in ("01", "02"):
        records = [replace(r, started=f"2025-11-{day}T10:00:00+00:00") for r in store.load_run(TINY)]
        for record in records:
            store.save_record(folder / f"202511{day}-100000-aaaaaa", record)
        for record in records if day == "01" else ():
            store.save_record(folder / "20251101-110000-bbbbbb", replace(record, injected="f.py:g"))
    store.mark_latest(folder, folder / "20251102-100000-aaaaaa")
    return folder


def test_the_command_writes_the_latest_run_beside_its_records(results: Path) -> None:
    """It says where, and the page shows the earlier run, but none with a planted fault, in its history."""
    code, said = invoke("--results", str(results), "--baselines", str(results / "none"))
    path = results / "20251102-100000-aaaaaa" / "report.html"
    assert (code, said) == (0, f"report: {path}\n")
    text = path.read_text(encoding="utf-8")
    assert "No verdict yet: there is no baseline" in text
    assert "20251101-100000-aaaaaa" in text
    assert "20251101-110000-bbbbbb" not in text


def test_the_command_takes_a_name_a_folder_and_a_file(results: Path, tmp_path: Path) -> None:
    """A run by name into a file of choice; a record's page stands beside the record."""
    out = tmp_path / "page.html"
    code, _ = invoke("20251101-100000-aaaaaa", "--results", str(results), "--out", str(out))
    assert code == 0
    assert "run 20251101-100000-aaaaaa" in out.read_text(encoding="utf-8")
    record = next((results / "20251101-100000-aaaaaa" / "records").glob("*.json"))
    code, said = invoke(str(record), "--results", str(results))
    assert (code, said) == (0, f"report: {record.with_suffix('.html')}\n")


def test_a_damaged_neighbour_leaves_a_gap_only(results: Path) -> None:
    """Another run's broken record is no matter of this one."""
    record = next((results / "20251101-100000-aaaaaa" / "records").glob("*.json"))
    record.write_text("{")
    assert invoke("--results", str(results))[0] == 0


def test_mistakes_are_told(results: Path) -> None:
    """No such run, and a run without a record: one message that says what to do."""
    code, said = invoke("nonesuch", "--results", str(results))
    assert code == 1
    assert "no run 'nonesuch'" in said
    (results / "20251103-100000-cccccc" / "records").mkdir(parents=True)
    code, said = invoke("20251103-100000-cccccc", "--results", str(results))
    assert code == 1
    assert "holds no records yet: nothing to report" in said


APART = """
import sys
class Without:
    names = {"torch", "transformers", "peft", "bitsandbytes", "datasets", "accelerate", "pytest", "pynvml"}
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Without())
sys.argv = ["benchsuite", "report", *sys.argv[1:]]
from benchsuite.cli import main
main()
"""


def test_the_command_needs_neither_torch_nor_pytest_nor_a_gpu(results: Path) -> None:
    """Where none of them can be imported, the page is written all the same."""
    command = [sys.executable, "-c", APART, "--results", str(results), "--out", str(results / "x.html")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert (results / "x.html").is_file()


# ---------------------------------------------------------------- in a browser


BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), "")
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update",
    "--disable-background-networking", "--disable-sync", "--enable-logging=stderr",
)  # fmt: skip
in_browser = pytest.mark.skipif(not BROWSER, reason="no Chromium on the path: install it to open the page in one")


def opened(path: Path, tmp_path: Path) -> tuple[str, list[str]]:
    """The page as Chromium holds it after loading, and what its console said."""
    command = [BROWSER, *QUIET, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", path.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


@in_browser
def test_chromium_shows_the_figures_and_says_nothing(tmp_path: Path) -> None:
    """All figures and sections are there once the page is loaded, and the console is empty."""
    path = tmp_path / "report.html"
    text = render(whole())
    path.write_text(text, encoding="utf-8")
    dom, console = opened(path, tmp_path)
    assert console == []
    found = Page(dom[dom.index("<html") :].strip())
    for tag in ("figure", "svg", "section", "table", "polyline", "rect", "circle"):
        assert len(found.all(tag)) == len(Page(text).all(tag)) > 0, tag


@in_browser
def test_a_page_that_fetches_or_runs_something_would_be_found_out(tmp_path: Path) -> None:
    """What the test above looks for is seen where it is: the page's own policy forbids scripts and pictures."""
    path = tmp_path / "report.html"
    bad = "<script>fail()</script><img src='http://example.invalid/x.png'></main>"
    path.write_text(render(whole()).replace("</main>", bad), encoding="utf-8")
    assert len(opened(path, tmp_path)[1]) == 2


if __name__ == "__main__":
    PAGE.write_text(small(), encoding="utf-8")
