// The networks: fetched, opened, warmed up.

import { Detector } from "./detector.js";
import { Regressor } from "./regressor.js";

const FILES = ["detector.onnx", "regressor.onnx", "model.json"];

/**
 * @param {object} ort  onnxruntime-web.
 * @param {(name: string) => Promise<Uint8Array>} read  Gives a file of models/.
 * @returns {Promise<{detector: Detector, regressor: Regressor}>}
 */
export async function openEngine(ort, read) {
  const [detector, regressor, json] = await Promise.all(FILES.map(read));
  const model = JSON.parse(new TextDecoder().decode(json));
  const open = (bytes) => ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
  return {
    detector: new Detector(ort, await open(detector), model.layers),
    regressor: new Regressor(ort, await open(regressor), model),
  };
}
