import pytest

from tddfa.assets import NAMED_CONFIGS
from tddfa.config import Config, load_config
from tddfa.errors import InputError


def write(tmp_path, text):
    path = tmp_path / "c.yml"
    path.write_text(text)
    return path


def test_empty_mapping_gives_the_defaults():
    config = Config.from_mapping({})
    assert (config.size, config.num_params, config.widen_factor) == (120, 62, 1.0)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "mapping"),
        ("- 1\n- 2", "mapping"),
        ("size: [", "YAML"),
        ("siez: 120", "unknown key 'siez'"),
        ("size: big", "size"),
        ("size: true", "size"),
        ("size: 7", "size in 32"),
        ("widen_factor: 0", "widen_factor"),
        ("num_params: 63", "63"),
        ("arch: vgg", "vgg"),
        ("checkpoint_fp: 3", "checkpoint_fp"),
        ("checkpoint_fp: null", "checkpoint_fp"),
        ("!!python/object/apply:os.system ['true']", "YAML"),
        ("[" * 5000, "nested"),
        ("a: " * 3 + "{" * 20000, "YAML"),
        ("size: " + "1" * 5000, "YAML"),
        ("size: 0x" + "f" * 5000, "size in 32..1024.*20000 bits"),
        ("num_params: 0x" + "f" * 5000, "num_params.*20000 bits"),
        ("size: " + "[1, " * 50 + "]" * 50, "size"),
        ("arch: " + "m" * 5000, "arch"),
        ("x" * 900 + ": 1", "unknown key"),
        ("? [a, b]\n: 1", "unknown key|YAML"),
        ("size: 2024-99-99", "YAML|size"),
        ("widen_factor: .nan", "widen_factor"),
        ("widen_factor: .inf", "widen_factor"),
        ("size: 120\n" * 100_000, "characters"),
    ],
)
def test_bad_configuration(tmp_path, text, reason):
    with pytest.raises(InputError, match=reason) as info:
        load_config(write(tmp_path, text))
    assert "c.yml" in str(info.value)
    assert "\n" not in str(info.value)
    assert len(str(info.value)) < 500


@pytest.mark.parametrize("name", ["x" * 300, "x/" * 3000, "a\0b", "\ud800"])
def test_impossible_names(tmp_path, name):
    with pytest.raises(InputError) as info:
        load_config(name)
    assert len(str(info.value)) < 1000
    config = Config.from_mapping({"checkpoint_fp": name})
    with pytest.raises(InputError, match="checkpoint_fp"):
        config.find("checkpoint_fp")


@pytest.mark.parametrize("content", [b"\xff\xfe\x00\x01", b"a: \x00"])
def test_no_text(tmp_path, content):
    (tmp_path / "c.yml").write_bytes(content)
    with pytest.raises(InputError, match=r"c\.yml"):
        load_config(tmp_path / "c.yml")


@pytest.mark.parametrize("name", ["none.yml", "."])
def test_missing_file_or_folder(tmp_path, name):
    with pytest.raises(InputError):
        load_config(tmp_path / name)


def test_paths_relative_to_the_configuration(tmp_path):
    (tmp_path / "w.pth").touch()
    config = load_config(write(tmp_path, "checkpoint_fp: w.pth"))
    assert config.find("checkpoint_fp") == tmp_path / "w.pth"


def test_missing_file_names_the_key(tmp_path):
    config = load_config(write(tmp_path, "checkpoint_fp: w.pth"))
    with pytest.raises(InputError, match=r"checkpoint_fp: .*w\.pth"):
        config.find("checkpoint_fp")
    with pytest.raises(InputError, match="uv_fp is not set"):
        config.find("uv_fp")
    assert config.find_if_set("uv_fp") is None


def test_every_shipped_configuration_is_valid(project_root):
    configs = sorted((project_root / "configs").glob("*.yml"))
    assert configs
    for path in configs:
        load_config(path)


@pytest.mark.parametrize("name", sorted(NAMED_CONFIGS))
def test_names_stand_for_configurations_that_ship(tmp_path, monkeypatch, project_root, name):
    monkeypatch.chdir(tmp_path)
    assert load_config(name) == load_config(project_root / NAMED_CONFIGS[name])
    (tmp_path / name).write_text("size: 96")  # a file of that name is the user's own
    assert load_config(name).size == 96


@pytest.mark.parametrize("name", ["Small", "small ", "smal"])
def test_what_is_no_name_is_a_missing_file(name):
    with pytest.raises(InputError, match=repr(name)):
        load_config(name)


@pytest.mark.parametrize(("text", "named"), [("free-smal", True), ("free.yml", False)])
def test_what_looks_like_a_name_is_told_the_names(text, named):
    with pytest.raises(InputError) as error:
        load_config(text)
    assert ("names are default, small, free, free-small" in str(error.value)) == named
