// Head pose from the camera, and the box that shows it.

const DEGREES = 180 / Math.PI;
const GIMBAL_LIMIT = 0.998;
const JAW_AND_BROWS = 27;
const SQUARE = [
  [-1, -1],
  [-1, 1],
  [1, 1],
  [1, -1],
];
export const BOX_EDGES = [0, 1, 2, 3].flatMap((i) => [
  [i, (i + 1) % 4],
  [i + 4, ((i + 1) % 4) + 4],
  [i, i + 4],
]);

/** Rotation (3 rows) of a parameter vector: model's frame to crop's, x right, y up, z to us. */
export function rotationOf(param) {
  const [a, b] = [param.slice(0, 3), param.slice(4, 7)].map((row) => {
    const norm = Math.hypot(...row);
    return row.map((value) => value / norm);
  });
  const c = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
  return [a, b, c];
}

/**
 * Angles in degrees. Positive yaw turns the face to the picture's left, positive pitch lowers it,
 * positive roll tilts its top to the left.
 */
export function anglesOf(r) {
  if (Math.abs(r[2][0]) > GIMBAL_LIMIT) {
    const sign = Math.sign(r[2][0]);
    const pitch = Math.atan2(-sign * r[0][1], -sign * r[0][2]);
    return { yaw: 90 * sign, pitch: pitch * DEGREES, roll: 0 };
  }
  const yaw = Math.asin(r[2][0]);
  const cos = Math.cos(yaw);
  return {
    yaw: yaw * DEGREES,
    pitch: Math.atan2(r[2][1] / cos, r[2][2] / cos) * DEGREES,
    roll: Math.atan2(r[1][0] / cos, r[0][0] / cos) * DEGREES,
  };
}

/** The eight corners [x, y] of the pose box in pixels: rear square, then front square. */
export function poseBox(r, { x, y }) {
  const side = Math.max(Math.max(...x) - Math.min(...x), Math.max(...y) - Math.min(...y));
  const rear = (side * Math.SQRT2) / 3;
  const front = (rear * 4) / 3;
  const corners = [
    ...SQUARE.map(([a, b]) => [a * rear, b * rear, 0]),
    ...SQUARE.map(([a, b]) => [a * front, b * front, front]),
  ].map((corner) => [dot(r[0], corner), -dot(r[1], corner)]);
  const middle = [0, 1].map((axis) => mean(corners.slice(0, 4).map((corner) => corner[axis])));
  const center = [mean(x.slice(0, JAW_AND_BROWS)), mean(y.slice(0, JAW_AND_BROWS))];
  return corners.map((corner) => corner.map((value, i) => value - middle[i] + center[i]));
}

function dot(a, b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
