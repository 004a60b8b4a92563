// From a ROI to 62 parameters, and from these to 68 landmarks in the picture.

import { wholePixels } from "./roi.js";
import { resized } from "./sampling.js";

const CAMERA = 12;

export class Regressor {
  /**
   * @param {object} ort      onnxruntime-web.
   * @param {object} session  Of regressor.onnx.
   * @param {object} model    Of model.json: size, mean, std, u, w.
   */
  constructor(ort, session, model) {
    this.ort = ort;
    this.session = session;
    this.size = model.size;
    this.mean = model.mean;
    this.std = model.std;
    this.u = Float32Array.from(model.u); // x, y, z of point 0, then of point 1
    this.w = model.w.map((component) => Float32Array.from(component));
  }

  /** Cut a ROI out of a picture: the network's input (3, size, size). */
  crop(picture, roi) {
    const { size } = this;
    return resized(picture, wholePixels(roi), size, size, (byte) => (byte - 127.5) / 128);
  }

  /** Parameters of the face in a crop. */
  async regress(crop) {
    const tensor = new this.ort.Tensor("float32", crop, [1, 3, this.size, this.size]);
    const outputs = await this.session.run({ [this.session.inputNames[0]]: tensor });
    const output = outputs[this.session.outputNames[0]].data;
    return this.mean.map((mean, i) => output[i] * this.std[i] + mean);
  }

  /**
   * Landmarks in pixels of the picture, y down; larger z is nearer, the farthest is 0.
   *
   * @param {number[]} param
   * @param {number[]} roi
   * @returns {{x: number[], y: number[], z: number[]}}
   */
  landmarks(param, roi) {
    const shape = Float64Array.from(this.u);
    this.w.forEach((component, k) => {
      const weight = param[CAMERA + k];
      for (let i = 0; i < shape.length; i++) shape[i] += weight * component[i];
    });
    const [left, top, right, bottom] = roi;
    const [sx, sy] = [(right - left) / this.size, (bottom - top) / this.size];
    const points = { x: [], y: [], z: [] };
    for (let i = 0; i < shape.length; i += 3) {
      const [x, y, z] = [0, 4, 8].map(
        (row) =>
          param[row] * shape[i] +
          param[row + 1] * shape[i + 1] +
          param[row + 2] * shape[i + 2] +
          param[row + 3],
      );
      points.x.push((x - 1) * sx + left);
      points.y.push((this.size - y) * sy + top);
      points.z.push(((z - 1) * (sx + sy)) / 2);
    }
    const farthest = Math.min(...points.z);
    points.z = points.z.map((z) => z - farthest);
    return points;
  }
}
