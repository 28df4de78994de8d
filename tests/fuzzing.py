"""Fuzzing with a process that may crash, hang or run out of memory, and with nothing else."""

import hashlib
import json
import os
import selectors
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from bad_cases import SECRET, dicom
from table_study import IDENTITY

VICTIM = Path(__file__).with_name("fuzz_victim.py")
FINDINGS = Path(tempfile.gettempdir()) / "mammography_fuzz"
ROOM = 1 << 30  # Bytes that a file of some kilobytes may take.
SLOW_S, HANGS_S = 5.0, 60.0  # Of the processor; of the clock, which others slow down too.
LONGEST_REASON = 140
# Each thread sets memory aside, of which there is a limit.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
NEEDLES = (SECRET, IDENTITY["PatientBirthDate"], IDENTITY["StudyInstanceUID"])


class Victim:
    """Prepares files in a process of its own, started anew when it has died.

    Args:
        folder: For its files.

    Attributes:
        outcomes: How many examples ended in which way.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.outcomes: Counter[str] = Counter()
        self.process = None
        (folder / "first").write_bytes(dicom())

    def start(self):
        words = [self.folder / "printed", ROOM, self.folder / "first"]
        self.process = subprocess.Popen(
            [sys.executable, VICTIM, *map(str, words)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | ONE_THREAD,
        )

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def prepare(self, data: bytes, way: int) -> None:
        """Prepare a file.

        Raises:
            AssertionError: If anything else comes of it than an image or a clear reason, or
                it takes too long; the file is kept.
        """
        path = self.folder / "file"
        path.write_bytes(data)
        fault, outcome = self.ask(path, way)
        self.outcomes[outcome] += 1
        if fault:
            FINDINGS.mkdir(exist_ok=True)
            kept = FINDINGS / f"{hashlib.sha256(data).hexdigest()[:16]}-{way}"
            kept.write_bytes(data)
            raise AssertionError(f"{fault}: {kept}")

    def ask(self, path, way):
        """Return what is wrong, and what came of it."""
        if self.process is None:
            self.start()
        try:
            self.process.stdin.write(json.dumps([str(path), way]) + "\n")
            self.process.stdin.flush()
            line = self.read_line()
        except BrokenPipeError:
            line = ""
        if not line:
            died = self.process.wait() if line == "" else None
            self.stop()
            return (f"crash: exit code {died}" if line == "" else "hang"), "none"
        return judge(json.loads(line))

    def read_line(self):
        """Return what the process says; nothing if it died, none if it says nothing."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            return self.process.stdout.readline() if selector.select(HANGS_S) else None


def judge(answer):
    """Return what is wrong about an answer, and what came of the file."""
    result = answer["result"]
    reason = result.get("rejected")
    told = json.dumps(answer)
    faults = {
        f"raised {result.get('raised')}": "raised" in result,
        f"no clear reason: {reason}": reason is not None
        and ("unexpected" in reason or len(reason) > LONGEST_REASON),
        "out of memory": reason == "too large for the memory",
        f"printed {answer['printed'][:300]}": bool(answer["printed"]),
        f"took {answer['seconds']:.1f} s": answer["seconds"] > SLOW_S,
        "tells of the patient": any(needle in told for needle in NEEDLES),
    }
    return next((fault for fault, holds in faults.items() if holds), None), reason or "prepared"
