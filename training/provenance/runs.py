"""What a training run was made from: asked before it starts, written beside its weights."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from tddfa.weight_labels import file_sha256
from training.provenance.entry import LABEL, NAME, WEIGHTS, Entry, manifest_of, write_manifest
from training.provenance.networks import RUN_WEIGHTS, manifest_beside, network_entries
from training.provenance.rules import STARTS, beside, refusals, require_free

# What we put weights under that were made from nothing but what is free.
LICENCE = "CC0-1.0"


def require_run(
    data: Sequence[Path], networks: Sequence[tuple[str, Path]], free: bool
) -> tuple[Entry, ...]:
    """Return what a run is made from; with `free`, refuse what is not free.

    Parameters
    ----------
    data : sequence of Path
        Data sets and archives.
    networks : sequence of (str, Path)
        Option and file of weights to start from (`rules.STARTS`) or to learn from.
    free : bool

    Raises
    ------
    InputError
        See `rules.require_free`.
    """
    if free:
        return require_free(data, networks)
    known = set(manifest_of([beside(path) for path in data]))
    for option, path in networks:
        known.update(network_entries(path, WEIGHTS if option in STARTS else LABEL))
    return tuple(sorted(known))


def record_run(weights: Path, made_from: Iterable[Entry], free: bool) -> None:
    """Write the manifest of weights beside them: their own line, and all that they were made from.

    Parameters
    ----------
    weights : Path
        ``weights.pth`` of a run, whose manifest is the folder's, or another ``.pth`` with one of
        its own.
    made_from : iterable of Entry
    free : bool
        Whether everything was asked to be free; else the weights have no licence of their own.
    """
    licence = LICENCE if free else ""
    sha = file_sha256(weights)
    own = Entry(WEIGHTS, weights.name, licence, source="this project", sha256=sha)
    run = weights.name == RUN_WEIGHTS
    target = weights.with_name(NAME) if run else weights.with_suffix(".manifest.csv")
    write_manifest(target, [own, *made_from])


def record_derived(weights: Path, sources: Sequence[Path]) -> None:
    """Write the manifest of weights that were computed from others: a mean, a wider copy.

    They are free if all their sources are. Where no source has a manifest nothing is written.

    Parameters
    ----------
    weights : Path
        As for `record_run`.
    sources : sequence of Path
        Weights.
    """
    if any(manifest_beside(source).is_file() for source in sources):
        entries = {entry for source in sources for entry in network_entries(source, WEIGHTS)}
        record_run(weights, entries, free=not refusals(entries))
