"""Identities sampled over MakeHuman's vertices, aligned, and their principal components."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.face_model.geometry import Geometry
from training.face_model.identity import IdentityModel, IdentitySpace, align, principal_components

N_SHAPE, N_IDENTITIES, SEED = 40, 3000, 0


def frontal_weight(x: np.ndarray) -> np.ndarray:
    """Weight 0..1 of points (dm, MakeHuman's neutral) by how much they belong to the front face."""
    front = np.clip((x[:, 2] - 0.5) / 0.5, 0, 1)
    below_hair = np.clip((7.95 - x[:, 1]) / 0.25, 0, 1)
    above_neck = np.clip((x[:, 1] - 6.15) / 0.1, 0, 1)
    ear = (np.abs(x[:, 0]) > 0.72) & (x[:, 1] > 6.75) & (x[:, 1] < 7.45)
    return np.where(ear, 0, np.maximum(front * below_hair * above_neck, 0.02))


def vertex_areas(x: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Return a third of the area around each vertex."""
    a, b, c = (x[triangles[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 6
    return np.bincount(triangles.ravel(), np.repeat(area, 3), len(x))


@dataclass(frozen=True)
class Identities:
    """Aligned samples of identities over MakeHuman's kept vertices, and how they were aligned."""

    space: IdentitySpace
    reference: np.ndarray
    weight: np.ndarray
    geometry: Geometry

    def samples(self, n: int, seed: int, rounds: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Return (n, b, 3) float32 aligned samples and the symmetric mean they are aligned to."""
        g = self.geometry
        targets = self.space.targets.reshape(len(self.space.targets), -1, 3)[:, g.ids]
        coefficients = self.space.sample(n, seed).astype(np.float32)
        flat = coefficients @ targets.reshape(len(targets), -1)
        out = flat.reshape(n, -1, 3) + g.base.vertices[g.ids].astype(np.float32)
        reference = self.reference
        for _ in range(rounds):
            out = align(out, reference, self.weight).astype(np.float32)
            if rounds > 1:
                mean = out.mean(0, dtype=np.float64)
                reference = (mean + mean[g.mirror] * [-1, 1, 1]) / 2
        return out, reference


def identities(geometry: Geometry, data: Path) -> Identities:
    """Prepare the identity sampler; its reference is MakeHuman's neutral face."""
    g = geometry
    neutral = g.base.vertices[g.ids]
    area = vertex_areas(g.surface.place(g.base.vertices), g.surface.triangles)
    weight = np.maximum(g.position.T @ area, 0) * frontal_weight(neutral)
    return Identities(IdentitySpace(data), neutral, weight, g)


def identity_model(who: Identities) -> tuple[IdentityModel, Identities]:
    """Sample, align, analyze. All fine vertices count alike; the mouth's inside hardly counts."""
    g = who.geometry
    samples, reference = who.samples(N_IDENTITIES, SEED, rounds=3)
    weight = np.ones(g.position.shape[0])
    weight[g.surface.triangles[g.surface.part == "mouth"]] = 0.05
    metric = g.metric(weight / weight.sum()).astype(np.float32)
    model = principal_components(samples, g.mirror, metric, N_SHAPE)
    return model, Identities(who.space, reference, who.weight, g)
