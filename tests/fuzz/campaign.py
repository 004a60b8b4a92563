"""Many damaged files, one after the other; what was done is kept, so that it can go on later."""

import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.fuzz.mutation import mutate
from tests.fuzz.outcome import DONE, FAULT, Outcome
from tests.fuzz.programs import run_program
from tests.fuzz.seeds import KINDS, Files, make_seeds
from tests.fuzz.workers import Worker

# Files of each kind in a round: pictures are quick, and come from anywhere.
ROUND = {"picture": 40, "video": 2, "configuration": 4, "checkpoint": 2, "face_model": 4} | {
    "pickle": 4,
    "table": 4,
    "network": 1,
}
PROGRAM = " by a demo"


@dataclass
class Tally:
    """What came of all files of a kind."""

    files: int = 0
    done: int = 0
    refused: int = 0
    faults: int = 0
    megabytes: float = 0.0
    seconds: float = 0.0

    def add(self, outcome: Outcome) -> None:
        self.files += 1
        self.done += outcome.kind == DONE
        self.faults += outcome.kind == FAULT
        self.refused = self.files - self.done - self.faults
        self.megabytes = max(self.megabytes, outcome.megabytes)
        self.seconds = max(self.seconds, outcome.seconds)


@dataclass
class Campaign:
    """A run of the harness.

    Attributes
    ----------
    counts : mapping of str to int
        How many files of each kind, see `tests.fuzz.seeds.KINDS`.
    folder : Path
        Where results and the files at fault are kept. A campaign of the same seed goes on there.
    seed : int
    minutes : float
        Time after which no further file is begun.
    every : int
        Each so-manieth picture and video goes through a demo as well.
    """

    counts: Mapping[str, int]
    folder: Path
    seed: int = 0
    minutes: float = float("inf")
    every: int = 20
    tallies: dict[str, Tally] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    _seeds: dict[str, Files] = field(default_factory=dict)
    _base: dict[str, float] = field(default_factory=dict)

    def run(self) -> None:
        """Try all files that have not been tried yet."""
        end = time.monotonic() + 60 * self.minutes
        self.folder.mkdir(parents=True, exist_ok=True)
        results = self.folder / f"results-{self.seed}.jsonl"
        tried = self._resume(results)
        with Worker(self.folder / "worker.log") as worker, results.open("a") as log:
            for kind, number in rounds(self.counts):
                if time.monotonic() > end:
                    break
                if (kind, number) in tried or not self.seeds(kind):
                    continue
                for how, outcome in self._try(worker, kind, number):
                    self._take(how, number, outcome)
                    line = {"how": how, "number": number, **outcome.as_dict()}
                    log.write(json.dumps(line) + "\n")
                log.flush()
        shutil.rmtree(self._work, ignore_errors=True)

    @property
    def _work(self) -> Path:
        """Where files are tried; of this process alone, or two at once would spoil each other's."""
        return self.folder / f"work-{os.getpid()}"

    def seeds(self, kind: str) -> Files:
        """Return the sound files of a kind."""
        if kind not in self._seeds:
            place = self.folder / "seeds"
            place.mkdir(exist_ok=True)
            self._seeds[kind] = make_seeds(kind, place)
        return self._seeds[kind]

    def case(self, kind: str, number: int) -> tuple[str, bytes]:
        """Return name and content of a file: first the sound ones, then damaged ones in turn."""
        files = self.seeds(kind)
        names = list(files)
        name = names[number % len(names)]
        if number < len(names):
            return name, files[name]
        rng = np.random.default_rng([self.seed, KINDS.index(kind), number])
        return name, mutate(files[name], rng, list(files.values()))

    def _try(self, worker: Worker, kind: str, number: int) -> Iterator[tuple[str, Outcome]]:
        name, data = self.case(kind, number)
        path, folder = self._fresh(name)
        path.write_bytes(data)
        outcome = worker.ask(kind, path, folder).judged()
        yield kind, self._judged(outcome, path, kind, number, data)
        if kind in ("picture", "video") and number % self.every == 0:
            base = self._base_of(kind)
            path, folder = self._fresh(name)
            path.write_bytes(data)
            outcome = run_program(kind, path, folder)
            values = outcome.as_dict() | {"megabytes": outcome.megabytes - base}
            yield kind + PROGRAM, self._judged(Outcome(**values).judged(), path, kind, number, data)

    def _judged(self, outcome: Outcome, path: Path, kind: str, number: int, data: bytes) -> Outcome:
        """Check the input's folder, and keep the file if something is wrong."""
        sound = number < len(self.seeds(kind))
        beside = [entry.name for entry in path.parent.iterdir() if entry != path]
        if outcome.kind != FAULT and (beside or path.read_bytes() != data):
            outcome = Outcome(FAULT, f"the input's folder changed: {beside}")
        if outcome.kind != FAULT and sound and outcome.kind != DONE:
            outcome = Outcome(FAULT, f"a sound file was refused: {outcome.message}")
        if outcome.kind == FAULT:
            kept = self.folder / "faults" / f"{kind}-{self.seed}-{number}-{path.name}"
            kept.parent.mkdir(exist_ok=True)
            kept.write_bytes(data)
        return outcome

    def _fresh(self, name: str) -> tuple[Path, Path]:
        """Return a place for the input, and an empty folder for what is made of it."""
        work = self._work
        shutil.rmtree(work, ignore_errors=True)
        (work / "in").mkdir(parents=True), (work / "out").mkdir()
        return work / "in" / name, work / "out"

    def _base_of(self, kind: str) -> float:
        """Return what a demo takes for a sound file, in megabytes."""
        if kind not in self._base:
            name = next(iter(self.seeds(kind)))
            path, folder = self._fresh(name)
            path.write_bytes(self.seeds(kind)[name])
            self._base[kind] = run_program(kind, path, folder).megabytes
        return self._base[kind]

    def _resume(self, results: Path) -> set[tuple[str, int]]:
        tried = set()
        for text in results.read_text().splitlines() if results.is_file() else ():
            line = json.loads(text)
            how, number = line.pop("how"), line.pop("number")
            tried.add((how.removesuffix(PROGRAM), number))
            self._take(how, number, Outcome(**line))
        return tried

    def _take(self, how: str, number: int, outcome: Outcome) -> None:
        self.tallies.setdefault(how, Tally()).add(outcome)
        if outcome.kind == FAULT:
            self.faults.append(f"{how} {number}: {outcome.message}")


def rounds(counts: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """Yield kind and number of each file, the kinds mixed as `ROUND` says."""
    at = dict.fromkeys(counts, 0)
    while any(at[kind] < counts[kind] for kind in counts):
        for kind in counts:
            for _ in range(ROUND[kind]):
                if at[kind] < counts[kind]:
                    yield kind, at[kind]
                    at[kind] += 1
