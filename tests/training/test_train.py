"""From packed crops to weights that the package itself can use, in seconds."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from tddfa.errors import InputError
from tddfa.mobilenet import load_mobilenet
from training import ablation, export, plot, synthesize, train
from training.augmentation.augment import AugmentSettings
from training.regressor.logbook import Logbook, read_log
from training.regressor.run_folder import Run
from training.regressor.settings import with_changes
from training.regressor.train_settings import TrainSettings


@pytest.fixture
def command(packed_folder, model_file, tmp_path):
    small = ["--batch-size", "8", "--log-every", "2", "--validate-every", "4", "--held-out", "4"]
    return lambda *extra, out="run", samples=64: [
        str(packed_folder), "--out", str(tmp_path / out), "--face-model", str(model_file),
        "--samples", str(samples), "--threads", "1", *small, *extra,
    ]  # fmt: skip


def weights(folder):
    return torch.load(folder / "weights.pth", weights_only=True)["state_dict"]


def test_photos_to_onnx(command, packed_folder, model_file, tmp_path):
    turned = tmp_path / "turned"
    arguments = [str(packed_folder), "--out", str(turned), "--count", "20"]
    assert synthesize.main([*arguments, "--face-model", str(model_file)]) == 0
    assert train.main([str(turned), *command()]) == 0
    run = tmp_path / "run"
    log = read_log(run / "log.csv")
    assert [row["step"] for row in log] == [2, 4, 6, 8]
    assert np.isfinite([row["loss"] for row in log]).all()
    assert log[-1]["val_nme"] > 0
    assert json.loads((run / "settings.json").read_text())["objective"]["main"] == "distance"
    assert plot.main([str(run)]) == 0
    assert (run / "curves.png").stat().st_size > 1000
    files = export.export(run, "tiny", tmp_path / "weights", tmp_path / "configs")
    assert [path.name for path in files] == ["tiny.pth", "tiny.onnx", "param_mean_std_62d.npz"]
    assert load_mobilenet(files[0]).conv1.out_channels == 16


def test_run_that_was_cut_short_ends_as_one_that_was_not(command, tmp_path, monkeypatch):
    assert train.main(command(out="whole")) == 0
    original = Run.save

    def save_and_stop(run):
        original(run)
        if run.trainer.step_count == 4:
            raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr(Run, "save", save_and_stop)
        with pytest.raises(KeyboardInterrupt):
            train.main(command(out="cut"))
    assert train.main(command(out="cut")) == 0
    whole, cut = weights(tmp_path / "whole"), weights(tmp_path / "cut")
    assert all(torch.equal(whole[key], cut[key]) for key in whole)
    assert [r["step"] for r in read_log(tmp_path / "cut/log.csv")] == [2, 4, 6, 8]


@pytest.mark.parametrize("objective", ["vdc", "fwpdc", "joint", "meta-joint"])
def test_each_objective_trains(command, tmp_path, objective):
    extra = ["--objective", objective, "--loss", "landmark_head=fixed", "look_ahead=3"]
    assert train.main(command(*extra)) == 0
    log = read_log(tmp_path / "run/log.csv")
    assert np.isfinite([row["loss"] for row in log]).all()
    assert not any(key.startswith("fc_lm") for key in weights(tmp_path / "run"))
    if objective == "meta-joint":
        assert {row["branch"] for row in log} <= {0, 1}
        assert [row["step"] for row in log] == [3, 6, 8]


def test_short_videos_and_weights_to_start_from(command, tmp_path):
    assert train.main(command("--set", "views.frames=4", samples=16, out="first")) == 0
    first = tmp_path / "first"
    extra = ["--init", str(first / "weights.pth"), "--param-scale"]
    assert train.main(command(*extra, str(first / "param_mean_std.npz"), samples=8)) == 0
    # One step of warm-up moves the weights but little.
    before, after = weights(first)["conv1.weight"], weights(tmp_path / "run")["conv1.weight"]
    assert 0 < (before - after).abs().max() < 0.01


def test_steps_on_one_batch_lower_its_loss(command):
    arguments = command("--optimizer", "warm_up=5", samples=400)
    run = Run(train.settings_of(train.build_parser().parse_args(arguments)))
    generator = torch.Generator().manual_seed(0)
    truth = run.held_out[1][:1].repeat(8, 1) * (1 + 0.02 * torch.randn(8, 62, generator=generator))
    batch = torch.rand(8, 3, 120, 120, generator=generator), truth
    losses = [run.trainer.step(batch)["loss"].item() for _ in range(40)]
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])


@pytest.mark.parametrize(
    "extra, message",
    [
        (["--shares", "1", "2"], "--shares"),
        (["--set", "views.frames=3"], "--batch-size"),
        (["--set", "views.unknown=3"], "unknown"),
        (["--set", "views=3"], "single setting"),
        (["--set", "views.roll=wide"], "value like"),
        (["--optimizer", "name=other"], "adamw"),
    ],
)
def test_wrong_arguments_are_named(command, extra, message):
    with pytest.raises(InputError, match=message):
        train.main(command(*extra))


def test_settings_change_one_field_only():
    assert with_changes(AugmentSettings(), ["views.shift=1e-3"]).views.shift == 0.001
    changed = with_changes(AugmentSettings(), ["photometric.resolution=[0.3, 0.6]"])
    assert changed.photometric.resolution == (0.3, 0.6)
    assert changed.views == AugmentSettings().views


def test_log_drops_what_a_resumed_run_repeats(tmp_path):
    path = tmp_path / "log.csv"
    for first in (0, 2):
        book = Logbook(path, first)
        for step in range(first + 1, 5):
            book.write(step=step, seconds=step, unknown=1)
    assert [row["step"] for row in read_log(path)] == [1, 2, 3, 4]
    assert Logbook(path, 2).seconds == 2


def test_ablation_tabulates_variants_over_seeds(packed_folder, model_file, tmp_path, capsys):
    more = ["batch-size=8", "log-every=2", "validate-every=2", "held-out=4", "threads=1", "amp"]
    arguments = [
        str(packed_folder), "--out", str(tmp_path), "--samples", "16", "--seeds", "0", "1",
        "--variants", "distance", "meta-joint", "--more", *more, f"face-model={model_file}",
    ]  # fmt: skip
    assert ablation.main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("|")[1:3] for line in lines[2:]] == [
        [" distance ", " 2 "],
        [" meta-joint ", " 2 "],
    ]
    assert (tmp_path / "table.md").read_text().count("±") == 6


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"shares": (1.0, 2.0)}, "--shares: expected 1"),
        ({"batch_size": 31, "augmentation": with_changes(AugmentSettings(), ["views.frames=8"])},
         "multiple of views.frames = 8"),
    ],
)  # fmt: skip
def test_settings_that_do_not_fit(changes, words):
    with pytest.raises(InputError, match=words):
        TrainSettings((Path("data"),), Path("run"), **changes)


def test_command_line_and_python_ask_for_the_same():
    from_line = train.settings_of(train.build_parser().parse_args(["data", "--out", "run"]))
    assert from_line == TrainSettings((Path("data"),), Path("run"))
