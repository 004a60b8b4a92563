from pathlib import Path

import pytest

from tddfa.assets import ASSETS_VARIABLE, asset_folder, find_asset, project_root
from tddfa.errors import InputError


@pytest.fixture(autouse=True)
def no_variable(monkeypatch):
    monkeypatch.delenv(ASSETS_VARIABLE, raising=False)


def test_no_folder_is_set():
    assert asset_folder() is None


def test_variable_and_argument(tmp_path, monkeypatch):
    monkeypatch.setenv(ASSETS_VARIABLE, str(tmp_path))
    assert asset_folder() == tmp_path
    other = tmp_path / "other"
    other.mkdir()
    assert asset_folder(other) == other


def test_missing_folder_names_where_it_was_set(tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"argument 'assets'.*nowhere"):
        asset_folder(tmp_path / "nowhere")
    monkeypatch.setenv(ASSETS_VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match=f"{ASSETS_VARIABLE}.*nowhere"):
        asset_folder()


def test_absolute_path(tmp_path):
    path = tmp_path / "x"
    with pytest.raises(InputError, match=str(path)):
        find_asset(path)
    path.touch()
    assert find_asset(path) == path


def test_relative_path_in_the_project():
    assert find_asset("pyproject.toml") == project_root() / "pyproject.toml"


def test_project_wins_over_assets_unless_prefixed(tmp_path):
    (tmp_path / "pyproject.toml").touch()
    assert find_asset("pyproject.toml", tmp_path) == project_root() / "pyproject.toml"
    assert find_asset("assets:pyproject.toml", tmp_path) == tmp_path / "pyproject.toml"


def test_prefix_needs_a_folder():
    with pytest.raises(InputError, match=ASSETS_VARIABLE):
        find_asset("assets:weights/x.pth")


def test_beside_comes_first(tmp_path):
    (tmp_path / "pyproject.toml").touch()
    assert find_asset("pyproject.toml", beside=tmp_path) == tmp_path / "pyproject.toml"


def test_error_names_the_file_and_the_folders(tmp_path):
    with pytest.raises(InputError) as info:
        find_asset("weights/none.pth", tmp_path)
    message = str(info.value)
    assert "weights/none.pth" in message
    assert str(tmp_path) in message
    assert "\n" not in message


def test_folder_is_no_file(tmp_path):
    Path(tmp_path / "sub").mkdir()
    with pytest.raises(InputError):
        find_asset("sub", tmp_path)
