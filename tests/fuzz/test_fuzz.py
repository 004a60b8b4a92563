"""The harness for some seconds, and that it finds what it is there to find."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from tddfa.errors import InputError
from tests.fuzz import worker
from tests.fuzz.__main__ import main, parse_args
from tests.fuzz.campaign import Campaign, rounds
from tests.fuzz.kernels import fuzz_kernels
from tests.fuzz.mutation import mutate
from tests.fuzz.outcome import DONE, FAULT, REFUSED, Outcome
from tests.fuzz.programs import run_program
from tests.fuzz.seeds import KINDS, make_seeds

posix = pytest.mark.skipif(sys.platform == "win32", reason="os.wait4")


@pytest.fixture(scope="module")
def picture(tmp_path_factory) -> bytes:
    return make_seeds("picture", tmp_path_factory.mktemp("seeds"))["color.png"]


@posix
def test_some_seconds_of_it(tmp_path):
    """Sound files are taken, damaged ones taken or refused, and nothing is left behind."""
    counts = {"picture": 400, "video": 30, "configuration": 40, "face_model": 40} | {
        "pickle": 40,
        "table": 40,
        "network": 5,
    }
    campaign = Campaign(counts, tmp_path, seed=1, every=200)
    campaign.run()
    assert not campaign.faults, "\n".join(campaign.faults)
    files = {how: tally.files for how, tally in campaign.tallies.items()}
    assert files == counts | {"picture by a demo": 2, "video by a demo": 1}
    pictures = campaign.tallies["picture"]
    assert pictures.done > 100 and pictures.refused > 100
    # Every file that was sound is among the done ones, or it would be a fault.
    assert len(campaign.seeds("picture")) > 30 and len(campaign.seeds("video")) > 15


@posix
@pytest.mark.slow
def test_checkpoints(tmp_path):
    pytest.importorskip("torch")
    campaign = Campaign({"checkpoint": 40}, tmp_path, seed=1)
    campaign.run()
    assert not campaign.faults and campaign.tallies["checkpoint"].files == 40


def test_kernels():
    assert fuzz_kernels(60, seed=1) == 60


def test_mutations_are_many_and_the_same_for_a_seed(picture):
    def files(seed):
        rng = np.random.default_rng(seed)
        return [mutate(picture, rng, [b"other" * 99]) for _ in range(200)]

    made = files(0)
    assert made == files(0) != files(1)
    assert len(set(made)) > 190 and picture not in made[:20]
    assert min(map(len, made)) < 1000 < max(map(len, made))
    assert mutate(b"", np.random.default_rng(0)) == b""


def test_checksums_do_not_keep_the_damage_out(tmp_path):
    """A PNG with one wrong byte is refused by its checksum; half of them come with a right one."""
    import zipfile

    rng = np.random.default_rng(0)
    face_model = make_seeds("face_model", tmp_path)["packed.npz"]
    whole = 0
    for number in range(40):
        path = tmp_path / f"{number}.npz"
        path.write_bytes(mutate(face_model, rng))
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                try:
                    whole += archive.testzip() is None and path.read_bytes() != face_model
                except Exception:
                    continue
    assert 15 < whole < 40


def test_kinds_are_mixed():
    counts = dict.fromkeys(KINDS, 50)
    order = list(rounds(counts))
    assert len(order) == len(set(order)) == 50 * len(KINDS)
    assert {kind for kind, _ in order[:60]} == set(KINDS)


@posix
def test_a_campaign_goes_on_where_it_was(tmp_path, capsys):
    command = ["--pictures", "30", "--out", str(tmp_path), "--every", "1000"]
    assert main([*command, "--minutes", "0"]) == 0
    assert main(command) == 0
    lines = (tmp_path / "results-0.jsonl").read_text()
    assert lines.count("\n") == 31
    assert main(command) == 0
    assert (tmp_path / "results-0.jsonl").read_text() == lines
    assert "picture              |     30" in capsys.readouterr().out


def test_without_an_end(capsys):
    with pytest.raises(SystemExit):
        parse_args([])
    assert "--minutes" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("outcome", "fault"),
    [
        (Outcome(DONE), ""),
        (Outcome(REFUSED, "x.png: the file is empty"), ""),
        (Outcome(DONE, "", 2001.0), "2001 MB"),
        (Outcome(REFUSED, "x", 1.0, 11.0), "11.0 s"),
        (Outcome(REFUSED, ""), "not one line"),
        (Outcome(REFUSED, "two\nlines"), "not one line"),
        (Outcome(REFUSED, "x" * 2000), "a very long line"),
        (Outcome(REFUSED, "cannot write .12ab.tmp.mp4"), "a line of internals"),
    ],
)
def test_what_is_a_fault(outcome, fault):
    judged = outcome.judged()
    assert (judged.kind == FAULT) == bool(fault)
    assert fault in judged.message


def test_worker_tells_refusals_from_faults(tmp_path, monkeypatch):
    def trial(path, folder):
        if path.name == "refused":
            raise InputError("refused: no good")
        if path.name == "memory":
            np.ones(40_000_000)  # 320 MB, gone again when it is measured
        if path.name == "fault":
            raise KeyError("x")
        return 0

    monkeypatch.setitem(worker.TRIALS, "picture", trial)
    ends = {n: worker.attempt("picture", Path(n), tmp_path) for n in ("done", "refused", "fault")}
    assert [o.kind for o in ends.values()] == [DONE, REFUSED, FAULT]
    assert ends["refused"].message == "refused: no good"
    assert ends["fault"].message.startswith("KeyError: 'x' at test_fuzz.py:")
    if sys.platform == "linux":
        assert 250 < worker.attempt("picture", Path("memory"), tmp_path).megabytes < 500
        assert ends["done"].megabytes < 50


@posix
def test_demo_that_leaves_something_is_a_fault(tmp_path, picture, monkeypatch):
    path, folder = tmp_path / "x.png", tmp_path / "run"
    path.write_bytes(picture[:200])
    folder.mkdir()
    assert run_program("picture", path, folder).kind == REFUSED
    from tests.fuzz import programs

    out, rest = tmp_path / "out", tmp_path / "tmp"
    out.mkdir(), rest.mkdir()
    assert programs._judge("picture", 2, "error: x.png: no", out, rest) == (REFUSED, "x.png: no")
    (out / "half.jpg").touch()
    with pytest.raises(AssertionError, match="left behind"):
        programs._judge("picture", 2, "error: x.png: no", out, rest)
    (rest / "a.tmp").touch()
    with pytest.raises(AssertionError, match="temporary files left"):
        programs._judge("picture", 0, "", out, rest)
    (rest / "a.tmp").unlink()
    with pytest.raises(AssertionError, match="exit code 1"):
        programs._judge("picture", 1, "Killed", out, rest)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_endless_work_is_a_fault(tmp_path, monkeypatch):
    from tests.fuzz import outcome
    from tests.fuzz.workers import Worker

    path = tmp_path / "x.png"
    os.mkfifo(path)  # nobody ever writes into it
    monkeypatch.setattr(outcome, "PATIENCE", 3.0)
    with Worker(tmp_path / "log") as worker:
        assert worker.ask("picture", path, tmp_path).kind == FAULT


@posix
def test_crash_of_a_worker_is_a_fault(tmp_path):
    from tests.fuzz.workers import Worker

    with Worker(tmp_path / "log") as worker:
        assert worker.ask("no such kind", tmp_path / "x", tmp_path).kind == FAULT
        assert worker.process is not None
        worker.process.kill()
        outcome = worker.ask("picture", tmp_path / "x", tmp_path)
        assert outcome.kind == FAULT and "ended with -9" in outcome.message
        assert worker.ask("picture", tmp_path / "x", tmp_path).kind == REFUSED
