"""`python -m benchsuite.worker --out FILE`: a job as JSON on stdin, its records as JSON in FILE.

The libraries are imported before the job is read, so that a process can be started while another measures, and wait.
One process, one device. Progress goes to stdout as one JSON object a line; whatever the libraries
print goes to stderr. A case that fails leaves a record that says why; exit 0 then too. Exit 2 is for
an unfit environment, with the message on stderr's last line.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import codec, environment, jobs, store
from .jobs import Progress
from .nouns import Job, SuiteError

LIBRARIES = ("torch", "transformers", "datasets", "accelerate", "peft", "bitsandbytes")


def main(argv: list[str] | None = None) -> int:
    """Run the job on stdin; see the module."""
    parser = argparse.ArgumentParser(prog="python -m benchsuite.worker", description=__doc__)
    parser.add_argument("--lifeline", type=int, help="a pipe that closes when nobody follows this process any more")
    parser.add_argument("--work", help="folder for what trials write and nobody keeps; by default a new one")
    parser.add_argument("--out", required=True, help="file for the records")
    given = parser.parse_args(argv)
    work = Path(given.work or tempfile.mkdtemp(prefix="benchsuite-"))
    if given.lifeline is not None:
        threading.Thread(target=_die_with, args=(given.lifeline, work), daemon=True).start()
    try:
        return _serve(Path(given.out), work)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _die_with(lifeline: int, work: Path) -> None:
    """Once the pipe closes, end with all that was started here: nobody would take the records."""
    os.read(lifeline, 1)
    shutil.rmtree(work, ignore_errors=True)
    os.killpg(os.getpid(), signal.SIGKILL)


def _serve(out: Path, work: Path) -> int:
    progress = progress_pipe()
    seconds = import_libraries(progress)
    progress({"ready": True})
    text = sys.stdin.read()
    if not text:  # nobody needs it any more, or is there any more
        return 0
    try:
        records = jobs.run(codec.decode(Job, codec.loads(text)), progress, seconds, work)
    except SuiteError as error:
        traceback.print_exc()
        progress({"error": str(error)})
        return SuiteError.exit_code
    store.write_text(out, codec.dumps(codec.encode(list(records))))
    return 0


def progress_pipe() -> Progress:
    """Keep the real stdout for progress and send everybody else's prints to stderr."""
    pipe = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    def tell(event: Mapping[str, Any]) -> None:
        print(json.dumps(event), file=pipe)

    return tell


def import_libraries(progress: Progress) -> float:
    """Import the guarded libraries; seconds taken."""
    progress({"phase": "import"})
    began = time.perf_counter()
    for name in LIBRARIES:
        importlib.import_module(name)
        environment.threads()  # torch is the first: what it starts with is the machine's, what comes later a library's
    import transformers

    seconds = time.perf_counter() - began
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    return seconds


if __name__ == "__main__":
    code = main()
    # With these libraries' objects the collector took 1.3 to 1.7 s to end the process; nothing of that is measured.
    gc.freeze()
    sys.exit(code)
