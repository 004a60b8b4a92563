"""The site's pages: links turned from where documents lie to where pages are."""

import pytest

pytest.importorskip("mkdocs")
from docs import site_pages


@pytest.mark.parametrize(
    ("folder", "link", "turned"),
    [
        ("docs", "[a](speed.md)", "[a](speed.md)"),
        ("docs", "[a](#here)", "[a](#here)"),
        ("docs", "[a](../weights/README.md#files)", "[a](weights.md#files)"),
        ("docs", "[a](../README.md)", "[a](index.md)"),
        ("docs", "![p](images/video/strip.jpg)", "![p](images/video/strip.jpg)"),
        ("docs", "[the table](../configs/mb1_120x120.yml)", "the table"),
        ("docs", "[`x [y]`](../demo.py)", "`x [y]`"),
        ("docs", "[a](https://example.org/b.md)", "[a](https://example.org/b.md)"),
        ("", "[a](docs/api.md#faces)", "[a](api.md#faces)"),
        ("", "![p](docs/images/a.jpg)", "![p](images/a.jpg)"),
        ("", "[l](LICENSE)", "l"),
        ("weights", "[a](../docs/training.md)", "[a](training.md)"),
    ],
)
def test_links_are_turned(folder, link, turned):
    assert site_pages.LINK.sub(lambda match: site_pages._turned(match, folder), link) == turned


def test_reference_has_what_is_public():
    names = site_pages.modules()
    assert {"tddfa.face_aligner", "Sim3DR.rasterize", "tddfa.tracking.tracker"} <= set(names)
    assert not [name for name in names if any(part.startswith("_") for part in name.split("."))]
    assert names == sorted(set(names))


def test_pages_from_elsewhere_are_there():
    for source in site_pages.ELSEWHERE:
        assert (site_pages.ROOT / source).is_file()
