"""Entries of networks that label or that training starts from."""

from pathlib import Path

from tddfa.weight_labels import file_sha256
from training.provenance.entry import LABEL, NAME, WEIGHTS, Entry, read_manifest

RUN_WEIGHTS = "weights.pth"  # of a run's folder, whose manifest is theirs

# Published networks whose terms are known, by the SHA-256 of their files.
KNOWN = {
    "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff": Entry(
        LABEL,
        "face_landmarker.task",
        licence="Apache-2.0",
        author="Google",
        source="MediaPipe Face Landmarker",
    ),
}


def manifest_beside(weights: Path) -> Path:
    """Return where the manifest of weights is: ``x.manifest.csv`` of ``x.pth``, else the folder's.

    There may be neither.
    """
    own = weights.with_suffix(".manifest.csv")
    return own if own.is_file() else weights.with_name(NAME)


def network_entries(file: Path, kind: str = LABEL) -> list[Entry]:
    """Return the entries of a network: its own, and all that it was made from.

    A network is known by its contents (`KNOWN`), or by the manifest that its training left beside
    it: ``x.pth`` has ``x.manifest.csv``, or a run's folder ``manifest.csv``. Any other has an entry
    without a licence.
    """
    sha = file_sha256(file)
    if sha in KNOWN:
        known = KNOWN[sha]
        return [Entry(kind, known.name, known.licence, known.author, known.source, sha256=sha)]
    manifest = manifest_beside(file)
    if not manifest.is_file():
        return [Entry(kind, file.name, sha256=sha)]
    made_from = read_manifest(manifest)
    weights = [e for e in made_from if e.kind == WEIGHTS and e.sha256 == sha]
    others = [e for e in made_from if e not in weights]
    licence = weights[0].licence if weights else ""
    return [Entry(kind, file.name, licence, source="this project", sha256=sha), *others]
