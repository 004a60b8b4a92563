// Landmarks and pose box on a canvas.

import { BOX_EDGES, poseBox } from "./pose.js";

// iBUG's 68 points: first, last, closed.
const PARTS = [
  [0, 16, false],
  [17, 21, false],
  [22, 26, false],
  [27, 30, false],
  [31, 35, false],
  [36, 41, true],
  [42, 47, true],
  [48, 59, true],
  [60, 67, true],
];
const LINE = "#ffffff";
const POINT = "#ffb400";
const BOX = "#28ff5a";
const SHADE = "#000000a0";
const HALF = 0.5; // a canvas counts from edges, landmarks from pixel centers

/** @param {CanvasRenderingContext2D} context  @param {Face[]} faces */
export function drawFaces(context, faces) {
  context.save();
  context.translate(HALF, HALF);
  for (const face of faces) {
    const size = face.roi[2] - face.roi[0];
    const corners = poseBox(face.rotation, face.landmarks);
    drawBox(context, corners, Math.max(1, size / 160));
    drawLandmarks(context, face.landmarks, Math.max(0.8, size / 240));
    label(context, face, corners, Math.max(12, size / 16));
  }
  context.restore();
}

function drawLandmarks(context, { x, y }, width) {
  context.lineWidth = width;
  context.strokeStyle = LINE;
  for (const [first, last, closed] of PARTS) {
    context.beginPath();
    for (let i = first; i <= last; i++) context.lineTo(x[i], y[i]);
    if (closed) context.closePath();
    context.stroke();
  }
  context.fillStyle = POINT;
  context.beginPath();
  x.forEach((_, i) => {
    context.moveTo(x[i] + 1.3 * width, y[i]);
    context.arc(x[i], y[i], 1.3 * width, 0, 2 * Math.PI);
  });
  context.fill();
}

function drawBox(context, corners, width) {
  context.lineWidth = width;
  context.strokeStyle = BOX;
  context.beginPath();
  for (const [from, to] of BOX_EDGES) {
    context.moveTo(...corners[from]);
    context.lineTo(...corners[to]);
  }
  context.stroke();
}

function label(context, { id, pose }, corners, height) {
  const { yaw, pitch, roll } = pose;
  const text = `${id}  yaw ${degrees(yaw)}  pitch ${degrees(pitch)}  roll ${degrees(roll)}`;
  context.font = `${height}px system-ui, sans-serif`;
  const x = Math.max(2, Math.min(...corners.map((corner) => corner[0])));
  const y = Math.max(height + 2, Math.min(...corners.map((corner) => corner[1])) - height / 2);
  context.fillStyle = SHADE; // an outline of the letters would take as long as all the rest
  context.fillRect(x - 2, y - height, context.measureText(text).width + 4, 1.3 * height);
  context.fillStyle = BOX;
  context.fillText(text, x, y);
}

function degrees(value) {
  return `${value < 0 ? "−" : ""}${Math.abs(Math.round(value))}°`;
}
