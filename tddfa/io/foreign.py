"""Pictures of formats that are not read, told by how they begin: not damaged, only unknown."""

# Beginning of a file, what it is.
_BEGINNINGS = (
    (b"\x00\x05\x16\x07", "macOS resource data, not the picture itself"),
    (b"\x00\x00\x01\x00", "an icon (ICO)"),
    (b"8BPS", "a Photoshop file (PSD)"),
    (b"%PDF", "a document (PDF)"),
    (b"DDS ", "a DirectDraw surface (DDS)"),
    (b"icns", "an icon (ICNS)"),
    (b"gimp xcf", "a GIMP file (XCF)"),
    (b"FUJIFILMCCD-RAW", "a raw photo (RAF)"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\x00\x00\x00\x0cJXL ", "JPEG XL"),
    (b"<svg", "a drawing (SVG)"),
    (b"<!DOCTYPE", "a web page"),
    (b"<!doctype", "a web page"),
    (b"<html", "a web page"),
)
_TGA_FOOTER = b"TRUEVISION-XFILE"


def foreign_format(data: bytes) -> str | None:
    """Return what a file is if its format is known and not read; None for all others."""
    for beginning, kind in _BEGINNINGS:
        if data.startswith(beginning):
            return kind
    if _is_pcx(data):
        return "a PC Paintbrush picture (PCX)"
    return "a Targa picture (TGA)" if _is_tga(data) else None


def _is_pcx(data: bytes) -> bool:
    return len(data) >= 128 and data[0] == 10 and data[1] in (0, 2, 3, 4, 5) and data[2] == 1


def _is_tga(data: bytes) -> bool:
    """Tell a Targa picture, which needs no signature, by the few choices that its head has."""
    if data[-18:-2] == _TGA_FOOTER:
        return True
    if len(data) <= 18 or data[0] != 0 or data[1] not in (0, 1):
        return False
    known = data[2] in (1, 2, 3, 9, 10, 11) and data[16] in (8, 15, 16, 24, 32)
    has_area = any(data[12:14]) and any(data[14:16])
    return known and has_area and data[17] & 0xC0 == 0 and (data[1] == 1 or not any(data[3:8]))
