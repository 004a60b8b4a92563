// Boxes [xmin, ymin, xmax, ymax] in pixels: overlap and non-maximum suppression.

/** Intersection over union; `border` is 1 where corners are pixels of the box, as in NMS. */
export function overlap(a, b, border = 0) {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]) + border;
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]) + border;
  if (width <= 0 || height <= 0) return 0;
  const both = width * height;
  return both / (area(a, border) + area(b, border) - both);
}

function area(box, border) {
  return (box[2] - box[0] + border) * (box[3] - box[1] + border);
}

/**
 * Greedy NMS: each detection removes the weaker ones whose overlap reaches the threshold.
 *
 * @param {{box: number[], score: number}[]} detections
 * @param {number} threshold
 * @returns {{box: number[], score: number}[]} By falling score.
 */
export function suppress(detections, threshold) {
  const left = detections
    .filter(({ box, score }) => [...box, score].every(Number.isFinite))
    .sort((a, b) => b.score - a.score);
  const kept = [];
  for (const detection of left) {
    if (kept.every(({ box }) => overlap(box, detection.box, 1) < threshold)) kept.push(detection);
  }
  return kept;
}
