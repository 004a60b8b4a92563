"""Heads as glTF: their size, what Khronos' validator says of them, and how a browser plays them.

    npm install --prefix npm three gltf-validator
    python -m benchmarks.heads --npm npm --out runs/heads

The page is that of docs/avatars.md, in headless Chromium; pictures of it go into the folder, to be
looked at: the photo's head as it is, then with its jaw open and the subject's left eye shut; the
clip's in its animation.
"""

import argparse
import functools
import http.server
import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from benchmarks.chromium import chromium
from tddfa.cli import run_main
from tddfa.commands import image, video
from tddfa.errors import InputError

ROOT = Path(__file__).resolve().parent.parent
INPUTS = ROOT / "examples/inputs"
MODULES = ("three", "gltf-validator")
# Issues by severity: errors, warnings, infos, hints.
VALIDATE = """
const [module, path] = process.argv.slice(1);
require(module).validateBytes(new Uint8Array(require('fs').readFileSync(path)))
  .then((report) => console.log(JSON.stringify(report.issues)));
"""
MOVE = """
head.traverse((part) => {
  for (const [name, weight] of Object.entries(%s))
    if (part.morphTargetInfluences)
      part.morphTargetInfluences[part.morphTargetDictionary[name]] = weight;
});
"""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    """Serve files without a line for each."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.heads",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--npm", type=Path, required=True, help="folder of node_modules")
    add("--clip", type=Path, default=INPUTS / "clip.mp4", help="default: %(default)s")
    add("--photo", type=Path, default=INPUTS / "astronaut.png", help="default: %(default)s")
    add("--out", type=Path, required=True, help="folder for heads and pictures")
    args = parser.parse_args(argv)
    modules = args.npm / "node_modules"
    for name in MODULES:
        if not (modules / name).is_dir():
            raise InputError(f"--npm '{args.npm}': expected npm install {' '.join(MODULES)}")
    args.out.mkdir(parents=True, exist_ok=True)
    photo, moving = args.out / "photo.glb", args.out / "clip.glb"
    image.main(["-f", str(args.photo), "-o", "glb", "--onnx", "--out", str(photo)])
    words = ["--onnx", "--faces", "one", "--smooth", "one_euro", "--animation", str(moving)]
    words = ["-f", str(args.clip), *words, "--out", str(args.out / "clip.mp4")]
    video.main(words, "demo_video.py")
    for path in (photo, moving):
        issues = validate(path, modules / "gltf-validator")
        counts = [issues[f"num{kind}"] for kind in ("Errors", "Warnings", "Infos", "Hints")]
        size = path.stat().st_size / 1e6
        print(f"{path.name}: {size:.1f} MB, errors, warnings, infos, hints: {counts}")
    shutil.copytree(modules / "three", args.out / "node_modules/three", dirs_exist_ok=True)
    for path in photo, moving:
        play(path, args.out)
    return 0


def validate(path: Path, module: Path) -> dict[str, int]:
    """Return the number of issues that Khronos' validator finds, by severity."""
    words = ["node", "-e", VALIDATE, str(module.resolve()), str(path)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    found: dict[str, int] = json.loads(done.stdout)
    return found


def play(head: Path, folder: Path) -> None:
    """Open a head in the page of docs/avatars.md and write pictures of it into the folder."""
    document = (ROOT / "docs/avatars.md").read_text(encoding="utf-8")
    found = re.search(r"```html\n(.*?)```", document, re.DOTALL)
    if found is None:
        raise InputError("docs/avatars.md: expected a page")
    page = found[1].replace("'head.glb'", f"'{head.name}'")
    page = page.replace("if (gltf.animations", "window.head = gltf.scene;\nif (gltf.animations")
    (folder / "page.html").write_text(page, encoding="utf-8")
    handler = functools.partial(_Quiet, directory=str(folder))
    with (
        http.server.ThreadingHTTPServer(("localhost", 0), handler) as server,
        chromium(size=(480, 480)) as tab,
    ):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        tab.open(f"http://localhost:{server.server_port}/page.html")
        tab.wait_for("window.head", 60)
        for number, weights in enumerate(({}, {"jawOpen": 1, "eyeBlinkLeft": 1}), 1):
            if head.stem == "photo":  # an animation sets its own
                tab.evaluate(MOVE % json.dumps(weights))
            tab.evaluate("new Promise((done) => setTimeout(done, 1500))")
            tab.screenshot(folder / f"{head.stem}_{number}.png")
        server.shutdown()


if __name__ == "__main__":
    sys.exit(run_main(main))
