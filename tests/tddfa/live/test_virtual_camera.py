import sys
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest

from tddfa.errors import InputError
from tddfa.live.virtual_camera import VirtualCamera


class FakeCamera:
    made: ClassVar[list] = []

    def __init__(self, width, height, fps, fmt, device):
        self.width, self.height, self.fps, self.device = width, height, fps, device
        self.pictures, self.closed = [], False
        FakeCamera.made.append(self)

    def send(self, picture):
        assert picture.shape == (self.height, self.width, 3) and picture.dtype == np.uint8
        self.pictures.append(picture)

    def close(self):
        self.closed = True


@pytest.fixture
def library(monkeypatch):
    FakeCamera.made = []
    module = SimpleNamespace(Camera=FakeCamera, PixelFormat=SimpleNamespace(BGR="bgr"))
    monkeypatch.setitem(sys.modules, "pyvirtualcam", module)
    monkeypatch.setattr("tddfa.live.virtual_camera.require", lambda *names: None)
    return module


def test_size_of_the_first_picture(library):
    camera = VirtualCamera(device="/dev/video9")
    camera.show(np.full((40, 60, 3), 200, np.uint8))
    camera.show(np.full((60, 60, 3), 200, np.uint8))
    camera.close()
    (made,) = FakeCamera.made
    assert (made.width, made.height, made.device, made.closed) == (60, 40, "/dev/video9", True)
    last = made.pictures[1]
    assert (last[:, 10:50] == 200).all() and not last[:, :10].any() and not last[:, 50:].any()


def test_never_used(library):
    VirtualCamera().close()
    assert FakeCamera.made == []


def test_no_camera_on_this_machine(library, monkeypatch):
    def refuse(*args, **names):
        raise RuntimeError("'v4l2loopback' backend: no device\nmore")

    monkeypatch.setattr(library, "Camera", refuse)
    with pytest.raises(InputError, match=r"virtual camera: 'v4l2loopback' backend: no device$"):
        VirtualCamera().show(np.zeros((4, 4, 3), np.uint8))


def test_without_the_package(monkeypatch):
    monkeypatch.setattr("tddfa.optional.find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip install pyvirtualcam"):
        VirtualCamera()
