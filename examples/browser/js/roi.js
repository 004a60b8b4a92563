// Square regions of interest (ROI), [xmin, ymin, xmax, ymax] in pixels: docs/conventions.md.

/** ROI of a detector's box: a square of side 1.58 (w + h) / 2, moved down by 0.14 (w + h) / 2. */
export function roiOfBox([left, top, right, bottom]) {
  const meanSide = (right - left + bottom - top) / 2;
  const side = Math.trunc(meanSide * 1.58);
  const x = (left + right) / 2 - side / 2;
  const y = (top + bottom) / 2 + meanSide * 0.14 - side / 2;
  return [x, y, x + side, y + side];
}

/** ROI of landmarks {x, y}: its side is the diagonal of the square around them. */
export function roiOfLandmarks({ x, y }) {
  const [left, right] = [Math.min(...x), Math.max(...x)];
  const [top, bottom] = [Math.min(...y), Math.max(...y)];
  const half = Math.max(right - left, bottom - top) / Math.SQRT2;
  const [cx, cy] = [(left + right) / 2, (top + bottom) / 2];
  return [cx - half, cy - half, cx + half, cy + half];
}

/** Where the detector would draw its box of a face with this ROI of landmarks. */
export function boxInRoi([left, top, right, bottom]) {
  const [width, height] = [right - left, bottom - top];
  const [cx, cy] = [left + 0.495 * width, top + 0.385 * height];
  const [halfWidth, halfHeight] = [(0.665 * width) / 2, (0.878 * height) / 2];
  return [cx - halfWidth, cy - halfHeight, cx + halfWidth, cy + halfHeight];
}

/** Corners as whole pixels, halves to the even one, as Python rounds. */
export function wholePixels(roi) {
  return roi.map((edge) => {
    const low = Math.floor(edge);
    if (edge - low !== 0.5) return Math.round(edge);
    return low % 2 === 0 ? low : low + 1;
  });
}
