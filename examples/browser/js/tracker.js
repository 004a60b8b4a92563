// From frame to frame: each face's ROI comes from its landmarks in the frame before.
//
//   search --> box --> ROI --> landmarks --+
//                       ^                  |   every CHECK_EVERY frames: is there a face still?
//                       +------------------+   if not, the track ends and the search finds it again

import { overlap } from "./boxes.js";
import { OneEuro } from "./one_euro.js";
import { anglesOf, rotationOf } from "./pose.js";
import { boxInRoi, roiOfBox, roiOfLandmarks } from "./roi.js";

const MAX_FACES = 4;
const SEARCH = { maxHeight: 240, maxWidth: 426 }; // pixels: a search must not cost a frame
const FINE_EVERY = 10; // searches: one that also finds small faces
const SEARCH_EVERY = 20; // frames, where a face is followed already
const CHECK_EVERY = 6; // frames
const LEAST_SCORE = 0.3; // of a check
const LEAST_OVERLAP = 0.4; // of what a check finds with where the face should be
const SAME_FACE = 0.3; // overlap from which on two boxes are one face
const LEAST_SIDE = 12; // pixels of a ROI

/**
 * @typedef {object} Face
 * @property {number} id
 * @property {number} score
 * @property {number[]} box       Where a detector draws it, in pixels.
 * @property {number[]} roi       What was cut out.
 * @property {number[]} param     62 parameters.
 * @property {{x: number[], y: number[], z: number[]}} landmarks  In pixels.
 * @property {number[][]} rotation
 * @property {{yaw: number, pitch: number, roll: number}} pose    In degrees.
 */

/** Align faces whose boxes are known; nothing is followed. */
export async function alignBoxes(regressor, picture, detections) {
  const faces = [];
  for (const { box, score } of detections) {
    const roi = roiOfBox(box);
    if (roi[2] - roi[0] < 1) continue;
    faces.push({ id: faces.length + 1, box, score, ...(await align(regressor, picture, roi)) });
  }
  return faces;
}

async function align(regressor, picture, roi) {
  const crop = regressor.crop(picture, roi);
  const param = await regressor.regress(crop);
  const rotation = rotationOf(param);
  const landmarks = regressor.landmarks(param, roi);
  return { roi, crop, param, landmarks, rotation, pose: anglesOf(rotation) };
}

export class Tracker {
  /**
   * @param {Detector} detector
   * @param {Regressor} regressor
   */
  constructor(detector, regressor) {
    this.detector = detector;
    this.regressor = regressor;
    this.smooth = true;
    this.reset();
  }

  /** Forget all faces: another film begins. */
  reset() {
    this.tracks = [];
    this.frame = 0;
    this.searches = 0;
    this.lastId = 0;
  }

  /**
   * Follow the faces into the next frame.
   *
   * @param {{data, width, height}} picture
   * @param {number} seconds  When it is shown.
   * @returns {Promise<Face[]>}
   */
  async next(picture, seconds) {
    const searching = this.tracks.length === 0 || this.frame % SEARCH_EVERY === 0;
    if (searching && this.tracks.length < MAX_FACES) await this.search(picture);
    for (const track of this.tracks) await this.follow(track, picture, seconds);
    this.tracks = this.tracks.filter((track) => !track.lost);
    this.frame += 1;
    return this.tracks.map(({ face }) => face);
  }

  async search(picture) {
    const fine = this.tracks.length === 0 && this.searches % FINE_EVERY === FINE_EVERY - 1;
    this.searches += 1;
    for (const { box, score } of await this.detector.detect(picture, fine ? {} : SEARCH)) {
      const known = this.tracks.some(({ face }) => overlap(face.box, box) >= SAME_FACE);
      if (known || this.tracks.length >= MAX_FACES) continue;
      this.lastId += 1;
      this.tracks.push({ roi: roiOfBox(box), face: { id: this.lastId, box, score }, filter: null });
    }
  }

  async follow(track, picture, seconds) {
    const [left, top, right, bottom] = track.roi;
    const outside = right < 0 || bottom < 0 || left > picture.width || top > picture.height;
    if (outside || !(right - left >= LEAST_SIDE) || right - left > 4 * picture.width) {
      track.lost = true;
      return;
    }
    const found = await align(this.regressor, picture, track.roi);
    const { id, score } = track.face;
    const next = roiOfLandmarks(found.landmarks);
    track.face = { ...found, id, score, box: boxInRoi(next) };
    // Checks of several faces fall on different frames.
    if ((this.frame + id) % CHECK_EVERY === 0) await this.check(track);
    track.roi = next;
    if (this.smooth) this.calm(track, seconds);
  }

  /** Ask the detector, which sees the crop, whether there is a face where it should be. */
  async check(track) {
    const { size } = this.regressor;
    const { box, roi, crop } = track.face;
    const scale = size / (roi[2] - roi[0]);
    const place = box.map((edge, i) => (edge - roi[i % 2]) * scale);
    const scores = (await this.detector.scan(crop, size))
      .filter((found) => overlap(found.box, place) >= LEAST_OVERLAP)
      .map((found) => found.score);
    track.face.score = Math.max(0, ...scores);
    track.lost = track.face.score < LEAST_SCORE;
  }

  /** Smooth what is shown; the next ROI comes from what was seen. */
  calm(track, seconds) {
    const { landmarks, roi } = track.face;
    track.filter ??= new OneEuro(1.5, 25);
    const sample = [...landmarks.x, ...landmarks.y];
    const n = landmarks.x.length;
    const smooth = track.filter.next(sample, seconds - (track.time ?? seconds), roi[2] - roi[0]);
    track.time = seconds;
    track.face.landmarks = { x: smooth.slice(0, n), y: smooth.slice(n), z: landmarks.z };
  }
}
