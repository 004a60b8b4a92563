import logging
import subprocess
import sys
import types

import numpy as np
import pytest

from tddfa.drawing import show
from tddfa.drawing.landmark_picture import draw_landmarks
from tddfa.drawing.show import ShownPicture, deliver, in_notebook, show_picture

IMG = np.zeros((20, 30, 3), np.uint8)

HEADLESS = """
import logging, sys
import numpy as np
from tddfa.drawing.depth import depth
logging.basicConfig(level=logging.WARNING)
depth(np.zeros((9, 9, 3), np.uint8), [], np.empty((0, 3), np.int32), show_flag=True)
print("went on")
"""

LEAN = """
import sys
import utils.render, utils.functions, utils.pose, utils.serialization, utils.io, utils.uv
heavy = {"matplotlib", "scipy", "skimage", "PIL", "torch", "onnxruntime"} & set(sys.modules)
print(sorted(heavy))
"""


def run(code, root, **variables):
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/tmp"} | variables
    return subprocess.run(
        [sys.executable, "-c", code], cwd=root, env=environment, capture_output=True, text=True
    )


@pytest.mark.parametrize("variables", [{}, {"MPLBACKEND": "tkagg"}, {"MPLBACKEND": "qtagg"}])
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there is a screen")
def test_without_a_screen_one_warning_and_on(project_root, variables):
    done = run(HEADLESS, project_root, **variables)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "went on\n"
    warnings = [line for line in done.stderr.splitlines() if "cannot show the picture" in line]
    assert len(warnings) == 1
    assert "Traceback" not in done.stderr


ASKED = HEADLESS + 'print("matplotlib" in sys.modules)'


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there is a screen")
@pytest.mark.parametrize("why", [None, "MPLBACKEND", "DISPLAY", "home", "folder"])
def test_matplotlib_is_loaded_only_where_it_might_show_something(project_root, tmp_path, why):
    """It takes longer to load than a face to align; but its settings may name a backend."""
    home, folder, variables = (
        tmp_path / "home",
        tmp_path / "here",
        {"PYTHONPATH": str(project_root)},
    )
    (home / ".config" / "matplotlib").mkdir(parents=True)
    folder.mkdir()
    if why == "home":
        (home / ".config" / "matplotlib" / "matplotlibrc").write_text("backend: agg")
    elif why == "folder":
        (folder / "matplotlibrc").write_text("backend: agg")
    elif why:
        variables[why] = {"MPLBACKEND": "agg", "DISPLAY": ":77"}[why]
    done = run(ASKED, folder, HOME=str(home), **variables)
    assert done.stdout == f"went on\n{why is not None}\n", done.stderr
    assert done.stderr.count("cannot show the picture") == 1


def test_imports_are_lean(project_root):
    assert run(LEAN, project_root).stdout == "[]\n"


@pytest.mark.parametrize("name", ["out.png", "100 %s.png"])
def test_without_a_screen_the_file_is_named(caplog, name):
    import matplotlib

    matplotlib.use("agg")
    with caplog.at_level(logging.WARNING):
        assert not show_picture(IMG, name)
    (line,) = (record.getMessage() for record in caplog.records)
    assert line.startswith(f"wrote {name} (") and "cannot" not in line


def test_backend_is_left_alone(caplog):
    import matplotlib

    matplotlib.use("agg")
    with caplog.at_level(logging.WARNING):
        assert not show_picture(IMG)
    assert matplotlib.get_backend() == "agg"
    assert len(caplog.records) == 1


def test_notebook_backend_shows(monkeypatch):
    import matplotlib.pyplot as plt

    shown = []
    monkeypatch.setattr(plt, "get_backend", lambda: "module://matplotlib_inline.backend_inline")
    monkeypatch.setattr(plt, "show", lambda: shown.append(plt.gcf().axes[0].images[0].get_array()))
    img = IMG.copy()
    img[..., 0] = 200  # blue
    assert show_picture(img)
    assert shown[0][0, 0].tolist() == [0, 0, 200]
    assert not plt.get_fignums()


@pytest.mark.parametrize("error", [RuntimeError("no\ndisplay"), ImportError("x"), OSError()])
def test_whatever_goes_wrong_is_one_warning(monkeypatch, caplog, error):
    import matplotlib.pyplot as plt

    def fail(img):
        raise error

    monkeypatch.setattr(plt, "get_backend", lambda: "tkagg")
    monkeypatch.setattr(show, "_open_figure", fail)
    with caplog.at_level(logging.WARNING):
        assert not show_picture(IMG)
    assert len(caplog.records) == 1
    assert "\n" not in caplog.records[0].getMessage()


def pretend_shell(monkeypatch, shell):
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))


@pytest.mark.parametrize(
    ("backend", "expected"),
    [
        ("module://matplotlib_inline.backend_inline", True),
        ("inline", True),
        ("module://ipympl.backend_nbagg", True),
        ("widget", True),
        ("nbAgg", True),
        ("agg", False),
        ("qtagg", False),
    ],
)
def test_notebook_is_a_kernel_and_a_backend(monkeypatch, backend, expected):
    import matplotlib

    monkeypatch.setattr(matplotlib, "get_backend", lambda: backend)
    pretend_shell(monkeypatch, types.SimpleNamespace(kernel=object()))
    assert in_notebook() == expected
    for shell in (None, types.SimpleNamespace()):  # plain Python; IPython in a terminal
        pretend_shell(monkeypatch, shell)
        assert not in_notebook()
    monkeypatch.delitem(sys.modules, "IPython")
    assert not in_notebook()


@pytest.mark.parametrize("notebook", [False, True])
@pytest.mark.parametrize("to_file", [False, True])
@pytest.mark.parametrize("show_flag", [None, False, True])
def test_when_a_picture_is_shown(monkeypatch, tmp_path, notebook, to_file, show_flag):
    shown = []
    monkeypatch.setattr(show, "in_notebook", lambda: notebook)
    monkeypatch.setattr(show, "show_picture", lambda img: shown.append(img) or True)
    path = tmp_path / "a.png" if to_file else None
    out = draw_landmarks(IMG, [], wfp=path, show_flag=show_flag)
    expected = notebook and not to_file if show_flag is None else show_flag
    assert len(shown) == expected
    assert isinstance(out, ShownPicture) == (notebook and expected)
    np.testing.assert_array_equal(out, IMG)


def test_what_could_not_be_shown_is_no_shown_picture(monkeypatch):
    monkeypatch.setattr(show, "in_notebook", lambda: True)
    monkeypatch.setattr(show, "show_picture", lambda img: False)
    assert type(deliver(IMG, None, True)) is np.ndarray


def test_notebook_prints_no_numbers_of_a_picture_it_has_shown():
    formatters = pytest.importorskip("IPython.core.formatters")
    formatter = formatters.DisplayFormatter()
    picture = ShownPicture(IMG)
    assert np.shares_memory(picture, IMG)
    assert formatter.format(picture) == ({}, {})
    for derived in (picture[:5], picture + 1, picture.copy(), picture.view(np.ndarray)):
        assert "text/plain" in formatter.format(derived)[0]
