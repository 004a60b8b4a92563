"""The attributions that go with weights: a NOTICE out of the manifests of a run."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from training.provenance.entry import KINDS, Entry

_TITLES = {
    "picture": "Pictures of faces",
    "background": "Pictures without a face",
    "asset": "Parts of rendered heads",
    "label": "Networks that labelled",
    "weights": "Weights that training started from",
}


def notice(entries: Iterable[Entry], title: str) -> str:
    """Return a NOTICE in Markdown: sources by kind, with licence, authors and number of files.

    Parameters
    ----------
    entries : iterable of Entry
    title : str
        What the notice is for.
    """
    counts: dict[str, Counter[tuple[str, str, str, str]]] = defaultdict(Counter)
    for entry in set(entries):
        counts[entry.kind][entry.source or "?", entry.licence, entry.author, entry.tier] += 1
    lines = [f"# Notice: {title}", ""]
    for kind in KINDS:
        if not counts[kind]:
            continue
        lines += [
            f"## {_TITLES[kind]}",
            "",
            "| source | licence | author | files |",
            "|---|---|---|---|",
        ]
        for (source, licence, author, tier), number in sorted(counts[kind].items()):
            mark = " (tier 2: likely, not proved)" if tier == "2" else ""
            lines.append(
                f"| {_cell(source)} | {_cell(licence or 'none known')}{mark} | {_cell(author)} "
                f"| {number} |"
            )
        lines.append("")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "/").replace("\n", " ")
