"""From packed crops to weights that the package itself can use, in seconds."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tddfa.backbone import load_backbone
from tddfa.checkpoints import load_labels, save_checkpoint
from tddfa.errors import InputError
from tddfa.model_files import load_face_model
from tddfa.onnx_labels import read_onnx_labels
from tddfa.params import load_parameter_scale
from tddfa.weight_labels import file_sha256, regressor_labels
from training import ablation, export, plot, synthesize, train
from training.augmentation.augment import AugmentSettings
from training.dataset.shards import Shards
from training.evaluation.predict import open_aligner
from training.labels.blendshape_join import KIND
from training.provenance.entry import PICTURE, WEIGHTS, Entry, read_manifest, write_manifest
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


@pytest.mark.slow
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
    assert load_backbone(files[0]).conv1.out_channels == 16
    model, scale = load_face_model(model_file), load_parameter_scale(files[2])
    labels = regressor_labels(model, scale, 0.5)
    assert load_labels(files[0]) == labels
    assert read_onnx_labels(files[1]) == replace(labels, checkpoint=file_sha256(files[0]))


def export_again(run, tmp_path, **changes):
    files = export.export(run, "tiny", tmp_path / "weights", tmp_path / "configs", **changes)
    return load_labels(files[0])


@pytest.mark.slow
def test_export_of_a_run_whose_weights_say_nothing(command, model_file, tmp_path, project_root):
    """As runs before there were labels."""
    assert train.main(command(samples=8)) == 0
    run = tmp_path / "run"
    save_checkpoint(run / "weights.pth", weights(run))
    model = load_face_model(model_file)
    assert export_again(run, tmp_path, face_model=model_file).face_model == model.id
    ours = load_face_model(project_root / "configs/face_model.npz").id
    assert export_again(run, tmp_path).face_model == ours


def test_export_refuses_what_the_weights_were_not_trained_for(command, tmp_path, project_root):
    assert train.main(command(samples=8)) == 0
    run, ours = tmp_path / "run", project_root / "configs/face_model.npz"
    with pytest.raises(InputError, match=r"weights\.pth.*face_model\.npz"):
        export_again(run, tmp_path, face_model=ours)
    scale = load_parameter_scale(run / "param_mean_std.npz")
    np.savez(run / "param_mean_std.npz", mean=scale.mean + 1, std=scale.std)
    with pytest.raises(InputError, match=r"weights\.pth.*scale"):
        export_again(run, tmp_path)
    assert not (tmp_path / "weights").exists()


def test_free_run_from_manifest_to_manifest(command, packed_folder, tmp_path):
    with pytest.raises(InputError, match=r"manifest.csv' is missing"):
        train.main(command("--free"))
    with pytest.raises(InputError, match="--free: expected no --param-scale"):
        train.main(command("--free", "--param-scale", "configs/param_mean_std_62d.npz"))
    data = shutil.copytree(packed_folder, tmp_path / "data")
    picture = Entry(PICTURE, "set/00000.webp", "CC0-1.0", source="somewhere")
    write_manifest(data, [picture])
    arguments = [str(data), *command("--free", samples=16)[1:]]
    with pytest.raises(InputError, match=r"--init .*weights 'mb05_120x120.pth': no manifest"):
        train.main([*arguments, "--init", "weights/mb05_120x120.pth"])
    assert train.main(arguments) == 0
    files = export.export(tmp_path / "run", "free", tmp_path / "weights", tmp_path / "configs")
    manifest = tmp_path / "weights/free.manifest.csv"
    assert manifest in files
    own = Entry(WEIGHTS, "free.pth", "CC0-1.0", source="this project", sha256=file_sha256(files[0]))
    assert set(read_manifest(manifest)) == {picture, own}
    further = [*arguments, "--init", str(files[0])]
    further[further.index("--out") + 1] = str(tmp_path / "further")
    own_scale = tmp_path / "run/param_mean_std.npz"
    assert train.main([*further, "--seed", "5", "--param-scale", str(own_scale)]) == 0
    others = [*further, "--param-scale", "configs/param_mean_std_62d.npz"]
    others[others.index("--out") + 1] = str(tmp_path / "others")
    with pytest.raises(InputError, match=r"--init .*free\.pth.*--param-scale"):
        train.main(others)
    assert not (tmp_path / "others/param_mean_std.npz").exists()


def test_another_network_from_training_to_evaluation(command, model_file, tmp_path):
    assert train.main(command("--arch", "resnet", "--loss", "landmark_head=fixed", samples=16)) == 0
    run, config = tmp_path / "run", "configs/mb1_120x120.yml"
    assert json.loads((run / "settings.json").read_text())["arch"] == "resnet"
    again = command("--arch", "resnet", "--init", str(run / "weights.pth"), out="next", samples=8)
    assert train.main(again) == 0
    with pytest.raises(InputError, match="expected arch mobilenet"):
        train.main(command("--init", str(run / "weights.pth"), out="other"))
    checkpoint, _, scale = export.export(run, "r22", tmp_path / "weights", tmp_path / "configs")
    aligner = open_aligner(
        config, checkpoint=str(checkpoint), param_scale=str(scale), face_model=str(model_file)
    )
    assert (aligner.config.arch, aligner.config.widen_factor) == ("resnet", 0.5)
    params = aligner.align_rois(np.full((90, 90, 3), 99, np.uint8), [[5, 5, 85, 85]])
    assert params.shape == (1, 62) and np.isfinite(params).all()


@pytest.mark.parametrize("width", ["0.25", "0.5"])  # layer by layer, and fused
def test_blendshapes_are_learned_beside_the_parameters(width, command, packed, tmp_path):
    names = packed.labels.names
    values = np.random.default_rng(0).uniform(0, 1, (len(names), 52)).astype(np.float32)
    Shards(tmp_path / "shapes", KIND).write(0, names=names, network=values, fitted=values)
    for out, extra in (("plain", []), ("joint", ["--blendshapes", str(tmp_path / "shapes")])):
        settings = train.settings_of(train.build_parser().parse_args(command(*extra, out=out)))
        Run(replace(settings, width=float(width))).go()
    plain, joint = weights(tmp_path / "plain"), weights(tmp_path / "joint")
    assert plain.keys() == joint.keys()  # the head is not kept
    assert not torch.equal(plain["conv1.weight"], joint["conv1.weight"])
    log = read_log(tmp_path / "joint/log.csv")
    assert 0 < log[-1]["blendshapes"] < log[0]["blendshapes"]
    with pytest.raises(InputError, match=r"blendshape_labels"):
        Run(replace(settings, blendshapes=(tmp_path / "none",)))


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


@pytest.mark.parametrize("arch", ["mobilenet", "resnet"])
def test_steps_on_one_batch_lower_its_loss(command, arch):
    arguments = command("--optimizer", "warm_up=5", "--arch", arch, samples=400)
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


def test_labels_of_another_face_model_are_refused(packed_folder, model_file, tmp_path):
    """Coefficients of another parametrization would be faces that nobody has."""
    old = tmp_path / "old"
    old.mkdir()
    for path in packed_folder.iterdir():
        (old / path.name).write_bytes(path.read_bytes())
    meta = json.loads((old / "meta.json").read_text(encoding="utf-8"))
    assert meta.pop("face_model")
    (old / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
    settings = TrainSettings((old,), tmp_path / "run", face_model=model_file)
    with pytest.raises(InputError, match="recenter labels"):
        Run(settings)
