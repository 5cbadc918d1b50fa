"""Density compensation by the area of k-space that lies nearest to each sample.

Source: Rasche, Proksa, Sinkus, Börnert and Eggers 1999, IEEE Transactions on Medical Imaging
18:385-392.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError, Voronoi
from torch import Tensor

SAME = 1e-5
"""Of the trajectory's extent: closer samples are one, and samples closer to the hull lie on it."""
GUARD_DISTANCE = 4
"""Of the extent; points so far away make cells finite and leave those inside the hull alone."""

Points = NDArray[np.float64]


def voronoi_density(coords: Tensor) -> Tensor:
    """Give each sample the area of its Voronoi cell.

    Coinciding samples share their cell. Cells end at the convex hull of all samples; those on the
    hull count as if they went on beyond it as they do inside: an edge of the hull doubles them, a
    corner of interior angle alpha makes 2 pi / alpha of them. So a Cartesian trajectory has
    weight 1 everywhere.

    Area is all it knows: where spokes meet in steps of 1, a disc of two thirds of the field of
    view comes back 9 % too bright, in steps of 1/2 2 %, which `ramp_density` corrects.

    Args:
        coords: float32 or float64, (samples, 2) or (batch, samples, 2), [cycles per field of
            view].

    Returns:
        real as `coords`, (samples,) or (batch, samples), [(cycles per field of view)^2], without
        gradient: the scale that `Nufft(..., density=weights)` takes.

    Raises:
        ValueError: "coords: ..." for points not of two axes, not finite, or on one line.

    Examples:
        >>> import torch
        >>> from mrirecon.nufft import voronoi_density
        >>> axis = torch.arange(-2.0, 2.0)
        >>> grid = torch.cartesian_prod(axis, axis)  # (16, 2)
        >>> voronoi_density(grid).reshape(4, 4).round(decimals=3)
        tensor([[1., 1., 1., 1.],
                [1., 1., 1., 1.],
                [1., 1., 1., 1.],
                [1., 1., 1., 1.]])
    """
    if coords.ndim not in (2, 3) or coords.shape[-1] != 2:
        expected = "(samples, 2) or (batch, samples, 2)"
        raise ValueError(f"coords: expected {expected}, got {tuple(coords.shape)}")
    if not bool(coords.isfinite().all()):
        raise ValueError("coords: expected finite values, got NaN or infinity")
    weights = torch.empty(coords.shape[:-1], dtype=torch.float64)
    for weight, points in zip(
        torch.atleast_2d(weights), coords[None] if coords.ndim == 2 else coords, strict=True
    ):
        weight[:] = torch.from_numpy(_areas(points.detach().double().cpu().numpy()))
    return weights.to(coords)


def _areas(points: Points) -> Points:
    """Weigh the samples (n, 2) of one trajectory."""
    middle = (points.max(axis=0) + points.min(axis=0)) / 2 if len(points) else 0
    centred = points - middle
    extent = float(np.linalg.norm(centred, axis=1).max(initial=0))
    rounded = np.round(centred / max(SAME * extent, np.finfo(np.float64).tiny))
    _, kept, which, counts = np.unique(
        rounded, axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    distinct = centred[kept]
    try:
        hull = ConvexHull(distinct)
    except (QhullError, ValueError):
        found = f"{len(distinct)} distinct ones"
        raise ValueError(f"coords: expected samples that span a plane, got {found}") from None
    cells = _cells(distinct, GUARD_DISTANCE * extent)
    areas = _polygon_areas(_clip_to_hull(cells, hull.equations))
    areas *= _continuation(distinct, hull.equations, SAME * extent)
    return np.asarray((areas / counts)[which.ravel()])


def _cells(points: Points, guard_distance: float) -> list[Points]:
    """Give the corners of each point's cell, counter-clockwise."""
    angle = np.arange(8) * math.pi / 4
    guards = guard_distance * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    diagram = Voronoi(np.concatenate([points, guards]))
    regions = [diagram.regions[number] for number in diagram.point_region[: len(points)]]
    owner = np.repeat(np.arange(len(points)), [len(region) for region in regions])
    corners = diagram.vertices[np.concatenate(regions)]
    outwards = corners - points[owner]
    order = np.lexsort((np.arctan2(outwards[:, 1], outwards[:, 0]), owner))
    return np.split(corners[order], np.flatnonzero(np.diff(owner)) + 1)


def _polygon_areas(polygons: Sequence[Points]) -> Points:
    """Measure convex polygons, each (corners, 2) counter-clockwise."""
    corners = np.concatenate(polygons)
    sizes = np.array([len(polygon) for polygon in polygons])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    following = np.arange(len(corners)) + 1
    following[starts + sizes - 1] = starts
    row, col = corners.T
    cross = row * col[following] - col * row[following]
    return np.add.reduceat(cross, starts) / 2


def _clip_to_hull(cells: list[Points], facets: Points) -> list[Points]:
    """Cut off what lies beyond a convex hull, facets (n, 3) of normal . x + offset <= 0."""
    inner = float(-facets[:, 2].max())  # a circle of this radius fits into the hull
    reach = np.maximum.reduceat(
        np.linalg.norm(np.concatenate(cells), axis=1),
        np.concatenate([[0], np.cumsum([len(cell) for cell in cells])[:-1]]),
    )
    return [
        _clip(cell, facets) if outermost > inner else cell
        for cell, outermost in zip(cells, reach.tolist(), strict=True)
    ]


def _clip(polygon: Points, facets: Points) -> Points:
    """Cut a convex polygon with one half plane after the other, the most violated first."""
    for _ in facets:
        beyond = polygon @ facets[:, :2].T + facets[:, 2]  # (corners, facets)
        worst = int(beyond.max(axis=0).argmax())
        height = beyond[:, worst]
        if height.max() <= 1e-9 * np.abs(facets[:, 2]).max():
            break
        polygon = _cut(polygon, height)
    return polygon


def _cut(polygon: Points, height: Points) -> Points:
    """Keep the part of a convex polygon where `height` (corners,) is not above 0."""
    following, height_following = np.roll(polygon, -1, axis=0), np.roll(height, -1)
    crosses = (height > 0) != (height_following > 0)
    part = np.where(crosses, height, 0) / np.where(crosses, height - height_following, 1)
    crossing = polygon + part[:, None] * (following - polygon)
    both = np.stack([polygon, crossing], axis=1)  # each corner, and the crossing after it
    return np.asarray(both[np.stack([height <= 0, crosses], axis=1)])


def _continuation(points: Points, facets: Points, tolerance: float) -> Points:
    """Give how many times the part of a cell inside the hull its whole would be, (points,)."""
    factor = np.ones(len(points))
    distance = np.linalg.norm(points, axis=1)
    for number in np.flatnonzero(distance > -facets[:, 2].max() - tolerance):
        height = facets[:, :2] @ points[number] + facets[:, 2]
        normals = facets[height > -tolerance, :2]
        if len(normals):
            turn = math.acos(float(np.clip(normals @ normals.T, -1, 1).min()))
            factor[number] = 2 * math.pi / (math.pi - turn)
    return factor
