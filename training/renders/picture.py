"""Draw a head: surfaces by their nearest triangle, light by harmonics, hair layer by layer."""

import cv2
import numpy as np
import numpy.typing as npt

from Sim3DR import get_normal, rasterize_triangles
from tddfa.picture import ImageArray
from training.dataset.batch import CANVAS
from training.evaluation.benchmark_sets import read_picture
from training.renders.anatomy import EYE, MOUTH, REST
from training.renders.glasses import add_glasses
from training.renders.heads import Head
from training.renders.layers import blend_layer
from training.renders.library import Library, read_texture
from training.renders.light import reflected, view
from training.renders.meshes import Attachment, TexturedMesh
from training.renders.truth import Placed
from training.renders.wardrobe import Wardrobe

FloatArray = npt.NDArray[np.float32]

FINER = 2  # pixels of the drawing a side of one of the canvas
IRIS_DEGREES, IRIS_RADIUS, IRIS_AT = 29.0, 0.115, (0.293, 0.70)
SUNK = 0.03  # dm
AHEAD = np.array([[0, 0, 1]], np.float32)
FLESH = np.array([0.16, 0.2, 0.42], np.float32)  # linear BGR, where an eyeball leaves a gap


class Drawing:
    """One head on the way to its picture.

    Parameters
    ----------
    head : Head
    placed : Placed
    worn : Wardrobe
    library : Library
    finer : int
        Pixels of the drawing a side of one of the canvas.
    """

    def __init__(
        self, head: Head, placed: Placed, worn: Wardrobe, library: Library, finer: int = FINER
    ) -> None:
        self.finer, self.size = finer, finer * CANVAS
        self.head, self.placed, self.worn, self.library = head, placed, worn, library
        self.color = np.zeros((self.size, self.size, 3), np.float32)
        self.depth = np.full((self.size, self.size), -1e6, np.float32)
        self.generator = np.random.default_rng((*head.seed, 3))

    def pixels(self, points: npt.NDArray[np.floating]) -> FloatArray:
        """Return points in dm as columns, rows and depth of the drawing."""
        seen = self.placed.project(np.asarray(points, np.float64), self.head)
        seen[:, 1] = CANVAS - seen[:, 1]
        out = self.finer * seen
        out[:, :2] -= 0.5
        return out.astype(np.float32)

    def normals(self, points: npt.NDArray[np.floating], mesh: TexturedMesh) -> FloatArray:
        """Return outward normals of vertices, in the camera's axes."""
        seen = (points @ self.head.rotation.T).astype(np.float32)
        return np.asarray(-get_normal(seen, mesh.triangles[:, ::-1]), np.float32)

    def lit(self, normals: FloatArray) -> FloatArray:
        """Return the light that white surfaces of these normals reflect."""
        turned = normals @ self.worn.turn.T.astype(np.float32)
        return reflected(turned, self.worn.probe.harmonics)

    def surface(
        self,
        points: npt.NDArray[np.floating],
        mesh: TexturedMesh,
        values: npt.NDArray[np.floating],
        sunk: int | None = None,
    ) -> tuple[npt.NDArray[np.int32], FloatArray, FloatArray, FloatArray, FloatArray]:
        """Draw a mesh: triangle, depth, normal, texture coordinate and value of each pixel.

        Vertices from `sunk` on lie a little farther, so that they give way where two meshes meet.
        """
        pixels = self.pixels(points)
        if sunk is not None:
            pixels[sunk:, 2] -= SUNK * self.finer * self.placed.scale
        found = rasterize_triangles(pixels, mesh.triangles, self.size, self.size)
        hit = found.triangle >= 0
        t, w = found.triangle[hit], found.weights[hit][:, :, None]
        corners = mesh.triangles[t]
        width = values.shape[1]
        normal, uv, at = (np.zeros((self.size, self.size, k), np.float32) for k in (3, 2, width))
        n = (self.normals(points, mesh)[corners] * w).sum(axis=1)
        normal[hit] = n / np.maximum(np.linalg.norm(n, axis=1, keepdims=True), 1e-6)
        uv[hit] = (mesh.uv[t] * w).sum(axis=1)
        at[hit] = (values[corners] * w).sum(axis=1)
        return found.triangle, found.depth, normal, uv, at

    def shine(self, normal: FloatArray, exponent: float) -> FloatArray:
        """Return a highlight of the brightest direction, (..., 1)."""
        sun = self.worn.turn.T @ self.worn.probe.sun
        half = sun + np.array([0, 0, 1])
        half /= max(float(np.linalg.norm(half)), 1e-6)
        facing = np.clip(normal @ half.astype(np.float32), 0, 1)
        return np.asarray(facing[..., None] ** exponent, np.float32)


def sample(texture: npt.NDArray[np.uint8], uv: FloatArray) -> FloatArray:
    """Return a texture's colors in linear light at texture coordinates (h, w, 2)."""
    height, width = texture.shape[:2]
    column, row = uv[..., 0] * width - 0.5, (1 - uv[..., 1]) * height - 0.5
    found = cv2.remap(texture, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray((found[..., :3].astype(np.float32) / 255) ** 2.2, np.float32)


def occlusion(depth: FloatArray, solid: npt.NDArray[np.bool_], finer: int = FINER) -> FloatArray:
    """Return how much light reaches hollows (h, w, 1): those behind the mean around them."""
    mask = solid.astype(np.float32)
    z = np.where(solid, depth, 0).astype(np.float32)
    out = np.ones_like(mask)
    for share, strength in ((2.0, 0.35), (7.0, 0.3)):
        sigma = share * finer
        around = cv2.GaussianBlur(z, (0, 0), sigma) / np.maximum(
            cv2.GaussianBlur(mask, (0, 0), sigma), 1e-3
        )
        out *= np.exp(-strength * np.clip((around - z) / sigma, 0, 3))
    return np.maximum(out, 0.35)[..., None]


def draw(
    head: Head,
    placed: Placed,
    worn: Wardrobe,
    library: Library,
    larger: int = 1,
    behind: ImageArray | None = None,
) -> ImageArray:
    """Return the picture of a head, BGR (168 * larger, 168 * larger, 3).

    What is behind it is drawn by its seed, or a picture of that size.
    """
    d = Drawing(head, placed, worn, library, FINER * larger)
    side = CANVAS * larger
    anatomy = library.anatomy
    points = anatomy.place(placed.neutral, placed.base)
    triangle, depth, normal, uv, height = d.surface(
        points, anatomy.surface, anatomy.height[:, None], len(anatomy.geometry.surface.mirror)
    )
    solid = triangle >= 0
    part = np.where(solid, anatomy.part[triangle], 255)
    d.depth = np.where(solid, depth, -1e6).astype(np.float32)
    shade = occlusion(depth, solid, d.finer)
    albedo = sample(read_texture(worn.skin.path, 1024), uv)
    # The textures are redder than people, the dark ones most.
    albedo += (0.4 if worn.skin.dark else 0.15) * (albedo.mean(axis=2, keepdims=True) - albedo)
    albedo *= worn.skin_tint.astype(np.float32) * (1.35 if worn.skin.dark else 1.0)
    # Cameras measure the face: a dark one is exposed longer, though not as bright as a fair one.
    tone = float(albedo[solid].mean()) if solid.any() else 0.3
    exposure = worn.exposure * (0.3 / max(tone, 0.02)) ** 0.45
    cloth = solid & (part == REST) & (height[..., 0] < worn.collar)
    albedo[cloth] = worn.cloth
    gloss = np.where(cloth[..., None], 0, 0.05 * d.shine(normal, 18)).astype(np.float32)
    peak = float(d.lit(AHEAD).mean())
    d.color = d.lit(normal) * shade * albedo + gloss * peak * 2
    _draw_eyes(d, part == EYE, shade)
    _draw_mouth(d, part == MOUTH)
    far = _background(d) if behind is None else _linear(behind, d.size)
    d.color[~solid] = far[~solid] / exposure * peak
    cover = np.zeros((d.size, d.size), np.float32)
    tint = worn.hair_tint.astype(np.float32)
    slack = 0.03 * d.finer * placed.scale
    _blend(d, cover, worn.brow, "eyebrows", np.minimum(tint, 1), 2.2 * slack)
    _blend(d, cover, worn.lash, "eyelashes", np.full(3, 0.5, np.float32), 1.5 * slack)
    if worn.glasses:
        add_glasses(d, cover)
    if worn.hair is not None:
        _blend(d, cover, worn.hair, "hair", tint, slack)
    exposed = d.color * (exposure / peak)
    small = cv2.resize(exposed, (side, side), interpolation=cv2.INTER_AREA)
    # A shoulder instead of a cut: what is brighter than 0.8 is pressed together.
    small = np.where(small > 0.8, 0.8 + 0.2 * (1 - np.exp(-(small - 0.8) / 0.2)), small)
    return np.asarray(np.clip(small, 0, 1) ** (1 / 2.2) * 255 + 0.5).astype(np.uint8)


def _draw_eyes(d: Drawing, mask: npt.NDArray[np.bool_], shade: FloatArray) -> None:
    if not mask.any():
        return
    anatomy, base = d.library.anatomy, d.placed.base
    mesh = TexturedMesh(
        anatomy.eye_triangles, np.zeros((len(anatomy.eye_triangles), 3, 2), np.float32)
    )
    triangle, _, _, _, at = d.surface(base, mesh, base)
    ball = mask & (triangle >= 0)
    d.color[mask] = d.lit(AHEAD)[0] * FLESH * shade[mask]
    if not ball.any():
        return
    left = np.isin(mesh.triangles[triangle[ball]][:, 0], anatomy.eyes[0])
    centers = np.stack([base[e].mean(axis=0) for e in anatomy.eyes])
    out = at[ball] - np.where(left[:, None], *centers)
    out /= np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-6)
    across, up = np.radians(d.head.gaze)
    ahead = np.array([np.sin(across) * np.cos(up), np.sin(up), np.cos(across) * np.cos(up)])
    side = np.cross([0, 1, 0], ahead)
    side /= np.linalg.norm(side)
    over = np.cross(ahead, side)
    angle = np.degrees(np.arccos(np.clip(out @ ahead, -1, 1)))
    x, y = out @ side, out @ over
    length = np.maximum(np.hypot(x, y), 1e-6)
    radius = np.minimum(IRIS_RADIUS * angle / IRIS_DEGREES, 0.27) / length
    uv = np.zeros((d.size, d.size, 2), np.float32)
    uv[ball] = np.stack([IRIS_AT[0] + x * radius, 1 - IRIS_AT[1] + y * radius], axis=1)
    albedo = sample(read_texture(d.worn.eye, 512), uv)[ball]
    iris = (angle < IRIS_DEGREES)[:, None]
    albedo = np.where(iris, albedo * d.worn.iris_tint.astype(np.float32), albedo)
    normal = (out @ d.head.rotation.T).astype(np.float32)
    light = d.lit(normal)
    glint = 0.9 * d.shine(normal, 120) * float(light.mean())
    d.color[ball] = light * albedo * 0.85 * shade[ball] + glint


def _draw_mouth(d: Drawing, mask: npt.NDArray[np.bool_]) -> None:
    """Show cavity, teeth and tongue where the patch between the lips is nearest."""
    if not mask.any():
        return
    library, base = d.library, d.placed.base
    teeth, tongue = library.teeth, library.tongue
    points = np.concatenate([base, teeth.place(base), tongue.place(base)])
    meshes = [library.anatomy.cavity, teeth.mesh, tongue.mesh]
    starts = [0, len(base), len(base) + len(teeth.corners)]
    mesh = TexturedMesh(
        np.concatenate([m.triangles + s for m, s in zip(meshes, starts, strict=True)]).astype(
            np.int32
        ),
        np.concatenate([m.uv for m in meshes]),
    )
    triangle, depth, normal, uv, _ = d.surface(points, mesh, points)
    kind = np.searchsorted(np.cumsum([len(m.triangles) for m in meshes]), triangle, side="right")
    hit = mask & (triangle >= 0)
    d.color[mask] = 0.004
    # Cavity normals look out of the head: light enters through the lips alone.
    light = d.lit(AHEAD)[0]
    facing = np.abs(normal[..., 2:])
    back = np.clip((np.median(d.depth[mask]) - depth) / (d.finer * d.placed.scale), 0, 1)[..., None]
    dim = np.exp(-3.5 * back) * (0.4 + 0.6 * facing)
    textures = (
        read_texture(d.worn.skin.path, 1024),
        read_texture(library.teeth_texture, 1024),
        read_texture(library.tongue_texture, 512),
    )
    for k, (texture, strength) in enumerate(zip(textures, (0.3, 0.9, 0.6), strict=True)):
        mine = hit & (kind == k)
        d.color[mine] = (sample(texture, uv) * dim * strength * light)[mine]


def _background(d: Drawing) -> FloatArray:
    """Return what lies behind, exposed: a part of a picture, or of the panorama, mostly blurred."""
    g, worn = d.generator, d.worn
    if worn.background is None:
        image = view(worn.probe.image, worn.turn, d.size, float(g.uniform(25, 60)))
        image = (image * (0.35 / max(float(image.mean()), 1e-3))).astype(np.float32)
    else:
        picture = read_picture(worn.background)
        side = int(min(picture.shape[:2]) * g.uniform(0.4, 1.0))
        top, left = (int(g.integers(0, n - side + 1)) for n in picture.shape[:2])
        part = picture[top : top + side, left : left + side]
        part = np.rot90(part, int(g.integers(4)) if abs(d.head.roll) > 45 else 0)
        gain = np.float32(g.uniform(0.5, 1.3))
        image = _linear(np.ascontiguousarray(part), d.size) * gain
    sigma = float(g.choice([0.0, 2.0, 6.0, 12.0])) * d.finer / 2
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma) if sigma else image, np.float32)


def _linear(picture: ImageArray, size: int) -> FloatArray:
    small = cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray((small.astype(np.float32) / 255) ** 2.2, np.float32)


def _blend(
    d: Drawing, cover: FloatArray, item: Attachment, kind: str, tint: FloatArray, slack: float
) -> None:
    points = item.place(d.placed.base)
    normal = d.normals(points, item.mesh)
    # Cards have two sides and no volume: light them as the ball of hair that they make up.
    ball = (points - d.placed.center) @ d.head.rotation.T
    ball /= np.maximum(np.linalg.norm(ball, axis=1, keepdims=True), 1e-6)
    flip = np.where((normal * ball).sum(axis=1, keepdims=True) < 0, -1, 1)
    mixed = 0.4 * normal * flip + 0.6 * ball
    mixed /= np.maximum(np.linalg.norm(mixed, axis=1, keepdims=True), 1e-6)
    light = d.lit(mixed.astype(np.float32)) * tint
    texture = d.library.texture_of(item, kind)
    blend_layer(d.color, cover, d.depth, d.pixels(points), item.mesh, light, texture, slack)
