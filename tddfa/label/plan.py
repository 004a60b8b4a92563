"""Which shard holds which inputs, written down so that a run can go on where it was.

::

    DIR/manifest.json   settings, shards; at the end what there is in them
    DIR/inputs.jsonl    every input, a line each
    DIR/part-00000.parquet ...

A part is written under a temporary name and renamed when it is whole: a part that is there is done.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tddfa.errors import InputError
from tddfa.label.places import Folder, StoreFolder
from tddfa.label.sources import Source

FORMAT_VERSION = 2
MANIFEST, INPUTS = "manifest.json", "inputs.jsonl"


@dataclass(frozen=True)
class Shard:
    """A part of the table.

    Attributes
    ----------
    number : int
        From 0.
    first, count : int
        Its inputs: `count` from `first` on.
    """

    number: int
    first: int
    count: int

    @property
    def name(self) -> str:
        """Name of its file."""
        return f"part-{self.number:05d}.parquet"


@dataclass(frozen=True)
class Plan:
    """Everything that is to be labelled, in shards.

    Attributes
    ----------
    place : Folder or StoreFolder
        Where the table lies.
    sources : tuple of Source
        Every input.
    shards : tuple of Shard
        They cover the inputs, in order.
    settings : mapping
        What the faces depend on: a run with others is another run.
    """

    place: Folder | StoreFolder
    sources: tuple[Source, ...]
    shards: tuple[Shard, ...]
    settings: Mapping[str, Any]

    def inputs(self, shard: Shard) -> tuple[Source, ...]:
        """Return a shard's inputs."""
        return self.sources[shard.first : shard.first + shard.count]

    def open_shards(self) -> list[Shard]:
        """Return the shards that are not done."""
        done = self.place.names()
        return [shard for shard in self.shards if shard.name not in done]

    def done_parts(self) -> list[str]:
        """Return the names of the parts that are done."""
        done = self.place.names()
        return [shard.name for shard in self.shards if shard.name in done]


def make_shards(sources: Sequence[Source], size: int) -> Iterator[Shard]:
    """Cut inputs into shards of `size` pictures; archives and videos have one each."""
    number = first = 0
    for index, source in enumerate(sources):
        alone = source.kind != "picture"
        if index > first and (alone or index - first == size):
            yield Shard(number, first, index - first)
            number, first = number + 1, index
        if alone:
            yield Shard(number, index, 1)
            number, first = number + 1, index + 1
    if first < len(sources):
        yield Shard(number, first, len(sources) - first)


def start_plan(
    place: Folder | StoreFolder,
    sources: Sequence[Source],
    settings: Mapping[str, Any],
    shard_size: int,
) -> Plan:
    """Write a new plan, or return the one that is there if it is the same.

    Parameters
    ----------
    place : Folder or StoreFolder
        Made if it is missing.
    sources : sequence of Source
        All inputs.
    settings : mapping
        Of plain values.
    shard_size : int
        Pictures in a shard, if the plan is new.

    Raises
    ------
    InputError
        If the folder has a plan for other inputs or settings, or another program's files.
    """
    there = place.names()
    if MANIFEST in there:
        plan = load_plan(place)
        _check_same(plan, sources, settings)
        return plan
    if any(name.startswith("part-") for name in there):
        raise InputError(f"--out '{place}': expected a new folder, found parts without a manifest")
    plan = Plan(place, tuple(sources), tuple(make_shards(sources, shard_size)), dict(settings))
    with place.write(INPUTS) as file:
        for source in sources:
            file.write(json.dumps([source.path, source.kind]).encode() + b"\n")
    write_manifest(plan, {})  # last: with it the plan stands
    return plan


def load_plan(place: Folder | StoreFolder) -> Plan:
    """Read the plan of a folder.

    Raises
    ------
    InputError
        If there is none, or it is damaged.
    """
    try:
        manifest = json.loads(place.read(MANIFEST))
        lines = place.read(INPUTS).splitlines()
        sources = tuple(Source(*json.loads(line)) for line in lines)
        shards = tuple(Shard(**values) for values in manifest["shards"])
        settings = dict(manifest["settings"])
        version = manifest["format_version"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(f"'{place}': expected {MANIFEST} and {INPUTS} of a run") from error
    if version != FORMAT_VERSION or sum(shard.count for shard in shards) != len(sources):
        raise InputError(f"'{place}': {MANIFEST}: expected format version {FORMAT_VERSION}")
    return Plan(place, sources, shards, settings)


def write_manifest(plan: Plan, totals: Mapping[str, Any]) -> None:
    """Write down the plan and, at the end, what came out."""
    manifest = {
        "format_version": FORMAT_VERSION,
        "inputs": len(plan.sources),
        "settings": dict(plan.settings),
        **totals,
        "shards": [asdict(shard) for shard in plan.shards],
    }
    with plan.place.write(MANIFEST) as file:
        file.write(json.dumps(manifest, indent=1).encode())


def _check_same(plan: Plan, sources: Sequence[Source], settings: Mapping[str, Any]) -> None:
    changed = [
        name
        for name in sorted({*plan.settings, *settings})
        if plan.settings.get(name) != settings.get(name)
    ]
    if changed:
        name = changed[0]
        raise InputError(
            f"--out '{plan.place}': was begun with {name} {plan.settings.get(name)!r}, "
            f"not {settings.get(name)!r}: expected the same, or another folder"
        )
    if plan.sources != tuple(sources):
        raise InputError(
            f"--out '{plan.place}': was begun with other inputs ({len(plan.sources)}, now "
            f"{len(sources)}): expected the same, or another folder"
        )
