"""What was found in a video, as rows of a file: one per face and frame.

`open_records` writes them; docs/records.md describes the formats.
"""

from tddfa.records.formats import RECORD_FORMATS, check_record_target, open_records
from tddfa.records.values import RecordLayout, RecordWriter

__all__ = [
    "RECORD_FORMATS",
    "RecordLayout",
    "RecordWriter",
    "check_record_target",
    "open_records",
]
