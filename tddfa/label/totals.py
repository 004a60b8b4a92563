"""What is in a table, counted from its parts."""

from collections.abc import Sequence

from tddfa.label.places import Folder, StoreFolder


def table_totals(place: Folder | StoreFolder, parts: Sequence[str]) -> dict[str, int]:
    """Return numbers of pictures and frames, faces, and inputs that could not be read.

    Parameters
    ----------
    place : Folder or StoreFolder
        Where the table lies.
    parts : sequence of str
        Names of its files.
    """
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    pictures = faces = errors = 0
    for part in parts:
        for batch in pq.ParquetFile(place.open(part)).iter_batches(
            columns=["face", "faces", "error"]
        ):
            failed = pc.sum(pc.is_valid(batch["error"])).as_py() or 0
            first = pc.fill_null(pc.equal(batch["face"], 0), fill_value=False)
            empty = pc.fill_null(pc.equal(batch["faces"], 0), fill_value=False)
            errors += failed
            faces += batch.num_rows - batch["face"].null_count
            pictures += (pc.sum(first).as_py() or 0) + (pc.sum(empty).as_py() or 0)
    return {"pictures": pictures, "faces": faces, "errors": errors}
