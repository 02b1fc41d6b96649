"""A drawing of predicted against measured speed, as SVG that needs nothing else."""

from __future__ import annotations

import numpy as np

from hardware.column import Bools, Floats

__all__ = ["scatter_svg"]

SIDE, MARGIN = 480, 78


def scatter_svg(measured: Floats, predicted: Floats, chosen: Bools) -> str:
    """
    Points on two logarithmic axes with the diagonal, one a row.

    Parameters
    ----------
    measured, predicted : ndarray
        Speed of a device. [token/s], [row]
    chosen : ndarray of bool
        Rows to draw. [row]

    Returns
    -------
    str
        An ``svg`` element with a title and labelled axes.
    """
    x, y = np.log10(measured[chosen]), np.log10(predicted[chosen])
    both = np.concatenate([x, y]) if len(x) else np.array([0.0, 1.0])
    low, high = float(np.floor(both.min())), float(np.ceil(both.max()))
    scale = (SIDE - 2 * MARGIN) / max(high - low, 1.0)

    def across(value: float) -> float:
        return round(MARGIN + (value - low) * scale, 1)

    def up(value: float) -> float:
        return round(SIDE - MARGIN - (value - low) * scale, 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIDE} {SIDE}" width="{SIDE}" '
        f'height="{SIDE}" role="img" font-family="sans-serif" font-size="11">',
        "<title>Predicted against measured tokens a second and device, sources unseen</title>",
        f'<rect width="{SIDE}" height="{SIDE}" fill="#ffffff"/>',
        f'<path d="M{across(low)} {up(low)}L{across(high)} {up(high)}" stroke="#555555"/>',
    ]
    for decade in range(int(low), int(high) + 1):
        parts.append(
            f'<path d="M{across(decade)} {up(low)}V{up(high)}M{across(low)} {up(decade)}'
            f'H{across(high)}" stroke="#dddddd"/>'
            f'<text x="{across(decade)}" y="{SIDE - MARGIN + 16}" text-anchor="middle" '
            f'fill="#333333">{10**decade:,}</text>'
            f'<text x="{MARGIN - 6}" y="{up(decade) + 4}" text-anchor="end" '
            f'fill="#333333">{10**decade:,}</text>'
        )
    parts += [
        f'<circle cx="{across(float(a))}" cy="{up(float(b))}" r="2" fill="#1f5f99" '
        'fill-opacity="0.5"/>'
        for a, b in zip(x, y, strict=True)
    ]
    parts.append(
        f'<text x="{SIDE / 2}" y="{SIDE - 8}" text-anchor="middle" fill="#333333">'
        "measured, token/s a device</text>"
        f'<text x="12" y="{SIDE / 2}" text-anchor="middle" fill="#333333" '
        f'transform="rotate(-90 12 {SIDE / 2})">predicted, token/s a device</text></svg>'
    )
    return "".join(parts)
