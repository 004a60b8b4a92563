"""Manifests: what stands in them, and what ``--free`` refuses."""

from pathlib import Path

import pytest

from tddfa.errors import InputError
from training.provenance import __main__ as command
from training.provenance import networks
from training.provenance.entry import (
    BACKGROUND,
    LABEL,
    PICTURE,
    WEIGHTS,
    Entry,
    manifest_of,
    read_manifest,
    write_manifest,
)
from training.provenance.networks import network_entries
from training.provenance.notice import notice
from training.provenance.pictures import find_table, picture_entries
from training.provenance.rules import beside, is_free, refusals, require_free
from training.provenance.runs import record_derived, record_run, require_run

FREE = Entry(PICTURE, "a/1.webp", "CC BY 4.0 (LICENSE)", "Ann", "ann/faces", "p/1.jpg", "1")
NET = Entry(LABEL, "task", "Apache-2.0", "Google", "MediaPipe", sha256="0" * 64)


@pytest.mark.parametrize(
    ("licence", "free"),
    [
        ("", False),
        ("   ", False),
        ("unknown", False),
        ("CC0-1.0 (LICENSE)", True),
        ("CC BY 4.0 (doi 10.6084/m9.figshare.4220517.v1)", True),
        ("CC-BY-3.0", True),
        ("cc by 4.0", True),
        ("CC BY-NC 4.0", False),
        ("CC BY 4.0, non-commercial", False),
        ("CC BY-SA 4.0", False),
        ("MIT (LICENSE)", True),
        ("MITRE internal", False),
        ("Apache-2.0", True),
        ("public domain by age, likely: sitter served last before 1929", True),
        ("research only", False),
        ("all rights reserved, later CC0", False),
    ],
)
def test_licences(licence, free):
    assert is_free(licence) is free


def test_a_manifest_reads_as_it_was_written_each_line_once(tmp_path):
    odd = Entry(PICTURE, 'a "b", c/ü.webp', "MIT", 'O\'Neil, "Bo"')
    write_manifest(tmp_path, [NET, FREE, FREE, odd])
    assert set(read_manifest(tmp_path)) == {FREE, NET, odd}
    assert read_manifest(tmp_path) == read_manifest(tmp_path / "manifest.csv")
    assert len(read_manifest(tmp_path)) == 3


def test_empty_and_missing_manifests(tmp_path):
    assert manifest_of([tmp_path]) == ()
    with pytest.raises(InputError, match=r"manifest.csv' is missing"):
        read_manifest(tmp_path)
    write_manifest(tmp_path, [])
    assert read_manifest(tmp_path) == ()
    with pytest.raises(InputError, match="empty manifest"):
        require_free([tmp_path])


@pytest.mark.parametrize("text", ["", "file,licence\na,MIT\n", "kind,name\npicture,a\n"])
def test_other_tables_are_named(tmp_path, text):
    (tmp_path / "manifest.csv").write_text(text)
    with pytest.raises(InputError, match=r"manifest.csv'"):
        read_manifest(tmp_path)


def test_an_unknown_kind_is_refused(tmp_path):
    with pytest.raises(InputError, match="kind: expected one of picture"):
        Entry("song", "a")


@pytest.fixture
def crops(tmp_path) -> Path:
    folder = tmp_path / "free" / "crops"
    (folder / "congress").mkdir(parents=True)
    (folder / "index.csv").write_text(
        "file,tier,licence,author,repo,path\n"
        'congress/1.webp,2,"public domain by age, likely",US Congress,voteview,x/1.jpg\n'
        "congress/2.png,1,MIT,Bo,bo/faces,2.png\n"
    )
    return folder


def test_pictures_have_the_lines_of_their_table(crops):
    one, two, three = picture_entries(crops, ["congress/1.webp", "congress/2.webp", "other/1.webp"])
    assert (one.licence, one.tier, one.source) == ("public domain by age, likely", "2", "voteview")
    assert two.author == "Bo"  # converted since
    assert three.licence == ""
    assert [refusal.what for refusal in refusals([one, two, three])] == ["picture 'other/1.webp'"]


def test_the_table_may_lie_above_the_pictures(crops):
    (entry,) = picture_entries(crops / "congress", ["1.webp"], BACKGROUND)
    assert (entry.kind, entry.author) == (BACKGROUND, "US Congress")
    assert find_table(crops / "congress") == (crops / "index.csv").resolve()


def test_a_table_without_licences_is_none(tmp_path):
    (tmp_path / "index.csv").write_text("file,score\n1.webp,0.5\n")
    (entry,) = picture_entries(tmp_path, ["1.webp"])
    assert entry.licence == ""


def test_unknown_networks_have_no_licence(tmp_path):
    (tmp_path / "net.pth").write_bytes(b"weights")
    (entry,) = network_entries(tmp_path / "net.pth", WEIGHTS)
    assert (entry.kind, entry.licence) == (WEIGHTS, "")
    assert "no manifest says" in refusals([entry])[0].why


def test_known_networks_are_known_by_their_contents(tmp_path, monkeypatch):
    (tmp_path / "renamed.bin").write_bytes(b"network")
    sha = network_entries(tmp_path / "renamed.bin")[0].sha256
    monkeypatch.setattr(networks, "KNOWN", {sha: NET})
    (entry,) = network_entries(tmp_path / "renamed.bin")
    assert (entry.name, entry.licence, entry.sha256) == ("task", "Apache-2.0", sha)


def test_weights_of_a_free_run_bring_all_that_they_were_made_from(tmp_path):
    weights = tmp_path / "weights.pth"
    weights.write_bytes(b"a")
    record_run(weights, [FREE, NET], free=True)
    found = network_entries(weights, WEIGHTS)
    assert {FREE, NET} < set(found) and not refusals(found)
    weights.write_bytes(b"trained on, its manifest is of another state")
    assert [r.what for r in refusals(network_entries(weights, WEIGHTS))] == [
        "weights 'weights.pth'"
    ]


def test_weights_of_other_runs_are_refused(tmp_path):
    weights = tmp_path / "weights.pth"
    weights.write_bytes(b"a")
    record_run(weights, require_run([], [], free=False), free=False)
    with pytest.raises(InputError, match=r"--init .*weights.pth' has weights 'weights.pth'"):
        require_run([], [("--init", weights)], free=True)


def test_a_run_names_the_first_that_is_not_free_and_how_many_more(tmp_path):
    good, bad = tmp_path / "good", tmp_path / "bad"
    write_manifest(good, [FREE, NET])
    unknown = [Entry(PICTURE, f"{i}.webp") for i in range(3)]
    write_manifest(bad, [FREE, *unknown])
    assert set(require_free([good])) == {FREE, NET}
    with pytest.raises(InputError, match=r"bad' has picture '0.webp': .*\(2 more\)"):
        require_free([good, bad])
    assert set(require_run([good, bad], [], free=False)) == {FREE, NET, *unknown}


def test_archives_have_manifests_beside_them():
    assert beside(Path("a/boxes.npz")) == Path("a/boxes.manifest.csv")
    assert beside(Path("a/photos")) == Path("a/photos")


def test_notice_names_authors_and_numbers():
    text = notice([FREE, Entry(PICTURE, "a/2.webp", *list(vars(FREE).values())[2:]), NET], "x")
    assert "| ann/faces | CC BY 4.0 (LICENSE) | Ann | 2 |" in text
    assert "| MediaPipe | Apache-2.0 | Google | 1 |" in text
    assert "without a face" not in text


def test_command(tmp_path, capsys):
    write_manifest(tmp_path, [FREE, NET])
    target = tmp_path / "NOTICE.md"
    assert command.main([str(tmp_path), "--notice", str(target), "--title", "mb1"]) == 0
    assert "free: yes" in capsys.readouterr().out
    assert target.read_text(encoding="utf-8").startswith("# Notice: mb1")
    write_manifest(tmp_path, [Entry(PICTURE, "1.webp", "CC BY-NC 4.0")])
    with pytest.raises(InputError, match="CC BY-NC"):
        command.main([str(tmp_path), "--notice", str(target)])
    assert "CC BY-NC 4.0" in target.read_text(encoding="utf-8")  # attributions are due even so


def test_notice_says_what_has_no_licence():
    assert "| ? | none known |  | 1 |" in notice([Entry(PICTURE, "1.webp")], "x")


def trained(folder, *entries, free=True):
    weights = folder / "weights.pth"
    folder.mkdir()
    weights.write_bytes(folder.name.encode())
    record_run(weights, entries, free)
    return weights


@pytest.mark.parametrize("name", ["weights.pth", "wide.pth"])
def test_what_is_computed_from_free_weights_is_free(tmp_path, name):
    sources = [trained(tmp_path / "a", FREE), trained(tmp_path / "b", NET)]
    target = tmp_path / name
    target.write_bytes(b"mean")
    record_derived(target, sources)
    entries = require_free([], [("--init", target)])
    assert {FREE, NET} <= set(entries)
    assert sum(entry.kind == WEIGHTS for entry in entries) == 3


def test_what_is_computed_from_other_weights_is_not(tmp_path):
    sources = [trained(tmp_path / "a", FREE), trained(tmp_path / "b", free=False)]
    target = tmp_path / "mean.pth"
    target.write_bytes(b"mean")
    record_derived(target, sources)
    with pytest.raises(InputError, match="--init"):
        require_free([], [("--init", target)])


def test_weights_without_a_manifest_have_heirs_without_one(tmp_path):
    source, target = tmp_path / "x.pth", tmp_path / "y.pth"
    source.write_bytes(b"x")
    target.write_bytes(b"y")
    record_derived(target, [source])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.pth", "y.pth"]
