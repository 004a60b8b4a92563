// The face detector: FaceBoxes on onnxruntime-web.

import { suppress } from "./boxes.js";
import { priorBoxes } from "./prior_boxes.js";
import { resized } from "./sampling.js";

const MEAN_BGR = [104, 117, 123];
const CENTER_VARIANCE = 0.1;
const SIZE_VARIANCE = 0.2;
const NMS_THRESHOLD = 0.3;

export class Detector {
  /**
   * @param {object} ort      onnxruntime-web.
   * @param {object} session  Of detector.onnx.
   * @param {object[]} layers Detection layers, see priorBoxes.
   */
  constructor(ort, session, layers) {
    this.ort = ort;
    this.session = session;
    this.layers = layers;
    this.priors = new Map();
  }

  /**
   * Find the faces of a picture.
   *
   * @param {{data, width, height}} picture
   * @param {{leastScore?: number, maxHeight?: number, maxWidth?: number}} limits
   *   Larger pictures are scaled down first; smaller limits are faster and miss small faces.
   * @returns {Promise<{box: number[], score: number}[]>} In pixels, by falling score.
   */
  async detect(picture, { leastScore = 0.5, maxHeight = 720, maxWidth = 1080 } = {}) {
    const { width, height } = picture;
    let scale = height > maxHeight ? maxHeight / height : 1;
    if (scale * width > maxWidth) scale = maxWidth / width;
    const w = Math.max(1, Math.trunc(scale * width));
    const h = Math.max(1, Math.trunc(scale * height));
    const input = resized(picture, [0, 0, width, height], w, h, (byte, c) => byte - MEAN_BGR[c]);
    const found = await this.boxes(input, h, w, leastScore);
    return suppress(found, NMS_THRESHOLD).map(({ box, score }) => ({
      box: box.map((edge) => edge / scale),
      score,
    }));
  }

  /**
   * Look for faces in an input of the regressor.
   *
   * @param {Float32Array} crop  (3, size, size), (byte - 127.5) / 128
   * @param {number} size
   * @returns {Promise<{box: number[], score: number}[]>} In pixels of the crop, with duplicates.
   */
  async scan(crop, size) {
    const plane = size * size;
    const input = new Float32Array(crop.length);
    for (let i = 0; i < crop.length; i++) {
      input[i] = crop[i] * 128 + 127.5 - MEAN_BGR[(i / plane) | 0];
    }
    return this.boxes(input, size, size, 0.05);
  }

  async boxes(input, height, width, leastScore) {
    const tensor = new this.ort.Tensor("float32", input, [1, 3, height, width]);
    const outputs = await this.session.run({ [this.session.inputNames[0]]: tensor });
    const [loc, conf] = this.session.outputNames.map((name) => outputs[name].data);
    const priors = this.priorsOf(height, width);
    const found = [];
    for (let i = 0; i < priors.length / 4; i++) {
      const score = conf[2 * i + 1];
      if (score <= leastScore) continue;
      const [cx, cy, w, h] = priors.subarray(4 * i, 4 * i + 4);
      const x = cx + loc[4 * i] * CENTER_VARIANCE * w;
      const y = cy + loc[4 * i + 1] * CENTER_VARIANCE * h;
      const halfWidth = (w * Math.exp(loc[4 * i + 2] * SIZE_VARIANCE)) / 2;
      const halfHeight = (h * Math.exp(loc[4 * i + 3] * SIZE_VARIANCE)) / 2;
      const box = [x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight];
      found.push({ box: box.map((edge, j) => edge * (j % 2 ? height : width)), score });
    }
    return found;
  }

  priorsOf(height, width) {
    const key = `${height}x${width}`;
    if (!this.priors.has(key)) {
      if (this.priors.size > 8) this.priors.clear();
      this.priors.set(key, priorBoxes(this.layers, height, width));
    }
    return this.priors.get(key);
  }
}
