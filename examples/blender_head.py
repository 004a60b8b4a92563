"""A head of ``-o glb`` or ``--animation`` in Blender: a scene to go on with, and a picture of it.

Blender runs this file, its own Python and no other package::

    blender --background --python examples/blender_head.py -- head.glb --out head.blend
    blender --background --python examples/blender_head.py -- head.glb --out jaw.png --set jawOpen=1

``.blend`` is the scene, ``.png`` a picture by Cycles on the CPU, which needs no screen. Blender
turns glTF's axes by itself: there the head looks along -y, and +z is up. Tried with 3.4.
"""

import argparse
import math
import sys
from pathlib import Path

import bpy  # type: ignore[import-not-found]  # Blender's own
import numpy as np

if not hasattr(np, "bool"):
    np.bool = np.bool_  # type: ignore[misc]  # Blender 3.4 reads glTF by this old name


class InputError(Exception):
    """What was asked for cannot be done; the message is one line."""


def main(argv: list[str]) -> int:
    """Run the command line: what stands behind ``--``."""
    parser = argparse.ArgumentParser(prog="blender --background --python blender_head.py --")
    parser.add_argument("head", type=Path, help=".glb")
    parser.add_argument("--out", type=Path, required=True, help="scene (.blend) or picture (.png)")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=WEIGHT", help="blendshapes")
    parser.add_argument("--frame", type=int, default=0, help="of an animation (%(default)s)")
    parser.add_argument("--size", type=int, default=512, help="of the picture (%(default)s)")
    args = parser.parse_args(argv)
    try:
        said = make(args)
    except InputError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    sys.stdout.write(f"{said}\nwrote {args.out}\n")
    return 0


def make(args: argparse.Namespace) -> str:
    """Write the scene or the picture and return what the head does in it."""
    if args.out.suffix not in (".blend", ".png"):
        raise InputError(f"--out: expected .blend or .png, got '{args.out}'")
    head = opened(args.head)
    bpy.context.scene.frame_set(args.frame)
    keys = head.data.shape_keys.key_blocks
    for change in args.set:
        name, weight = parsed(change)
        if name not in keys:
            raise InputError(f"--set {change}: expected one of {', '.join(keys.keys()[1:])}")
        keys[name].value = weight
    look_at(head)
    # Whole or not at all: written beside, then renamed.
    part = args.out.resolve().with_name(f".{args.out.stem}.part{args.out.suffix}")
    if args.out.suffix == ".blend":
        bpy.ops.wm.save_as_mainfile(filepath=str(part))
    else:
        render(str(part), args.size)
    part.replace(args.out)
    moved = [f"{key.name} {key.value:.2f}" for key in keys[1:] if key.value > 0.2]
    return f"{len(keys) - 1} blendshapes; above 0.2 in frame {args.frame}: {', '.join(moved)}"


def parsed(change: str) -> tuple[str, float]:
    """Return name and weight of ``NAME=WEIGHT``."""
    name, _, weight = change.partition("=")
    try:
        return name, float(weight)
    except ValueError:
        raise InputError(f"--set {change}: expected NAME=WEIGHT, such as jawOpen=1") from None


def opened(path: Path) -> "bpy.types.Object":
    """Return the head of a file, alone in Blender."""
    if not path.is_file():
        raise InputError(f"expected an existing .glb, got '{path}'")
    bpy.ops.wm.read_factory_settings(use_empty=True)
    try:
        bpy.ops.import_scene.gltf(filepath=str(path.resolve()))
    except RuntimeError:  # what Blender makes of anything that goes wrong there
        raise InputError(f"'{path}': expected glTF that Blender can read") from None
    heads = [thing for thing in bpy.data.objects if thing.type == "MESH" and thing.data.shape_keys]
    if not heads:
        raise InputError(f"'{path}': expected a mesh with blendshapes")
    return heads[0]


def look_at(head: "bpy.types.Object") -> None:
    """Put a camera before the head, and a light beside that."""
    x, y, z = head.matrix_world.translation
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.location = (x, y - 0.5, z)
    camera.rotation_euler = (math.pi / 2, 0, 0)
    light = bpy.data.objects.new("light", bpy.data.lights.new("light", "SUN"))
    light.data.energy = 3.0
    light.rotation_euler = (math.radians(70), 0, math.radians(15))
    for thing in (camera, light):
        bpy.context.scene.collection.objects.link(thing)
    bpy.context.scene.camera = camera


def render(target: str, size: int) -> None:
    """Draw the scene, gray behind."""
    scene = bpy.context.scene
    world = bpy.data.worlds.new("world")
    world.color = (0.3, 0.33, 0.37)
    scene.world = world
    scene.render.engine, scene.cycles.samples = "CYCLES", 24
    scene.cycles.use_denoising = False
    scene.view_settings.view_transform = "Standard"
    scene.render.resolution_x = scene.render.resolution_y = size
    scene.render.filepath = target
    bpy.ops.render.render(write_still=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []))
