// The page: buttons, messages, what is shown.

import * as ort from "../ort/ort.wasm.min.mjs";
import { drawFaces } from "./drawing.js";
import { openEngine } from "./engine.js";
import { FrameLoop } from "./loop.js";
import { closeSource, grab, openCamera, openClip, openPicture, SourceError } from "./sources.js";
import { alignBoxes, Tracker } from "./tracker.js";

const MAX_THREADS = 4;

const element = (id) => document.getElementById(id);
const video = element("video");
const context = element("canvas").getContext("2d", { willReadFrequently: true });

function say(text, wrong = false) {
  element("message").textContent = text;
  element("message").classList.toggle("wrong", wrong);
}

async function read(name) {
  const answer = await fetch(new URL(`../models/${name}`, import.meta.url));
  if (!answer.ok) throw new Error(`models/${name} is missing`);
  return new Uint8Array(await answer.arrayBuffer());
}

function showRate({ fps, work, faces, frames }) {
  const count = `${faces} face${faces === 1 ? "" : "s"}`;
  element("rate").textContent = `${fps.toFixed(1)} frames/s, ${work.toFixed(1)} ms each, ${count}`;
  const { dataset } = document.body; // for benchmarks/browser.py
  dataset.frames = Number(dataset.frames ?? 0) + frames;
  dataset.work = Number(dataset.work ?? 0) + work * frames;
  dataset.faces = faces;
}

/** Threads of the networks: ?threads=N, or all cores but one, which the browser needs itself. */
function wantedThreads() {
  const asked = Number(new URLSearchParams(location.search).get("threads"));
  if (Number.isInteger(asked) && asked > 0) return Math.min(asked, MAX_THREADS);
  return Math.max(1, Math.min(MAX_THREADS, (navigator.hardwareConcurrency || 1) - 1));
}

async function main() {
  ort.env.wasm.wasmPaths = new URL("../ort/", import.meta.url).href;
  const threads = self.crossOriginIsolated ? wantedThreads() : 1;
  ort.env.wasm.numThreads = threads;
  const { detector, regressor } = await openEngine(ort, read);
  const tracker = new Tracker(detector, regressor);
  const loop = new FrameLoop(video, context, tracker, showRate);
  document.body.dataset.threads = threads;

  async function begin(open, text) {
    loop.stop();
    closeSource(video);
    element("rate").textContent = "";
    say("…");
    try {
      await open();
      say(text);
    } catch (error) {
      closeSource(video);
      say(error instanceof SourceError ? error.message : `This failed: ${error.message}`, true);
    }
  }

  async function photograph(file) {
    const bitmap = await openPicture(file);
    const picture = grab(context, bitmap, bitmap.width, bitmap.height);
    const faces = await alignBoxes(regressor, picture, await detector.detect(picture));
    drawFaces(context, faces);
    element("rate").textContent = `${faces.length} face${faces.length === 1 ? "" : "s"}`;
  }

  const play = (open) => async () => {
    await open();
    loop.start();
  };

  element("camera").onclick = () => begin(play(() => openCamera(video)), "Camera");
  element("file").onchange = ({ target }) => {
    const [file] = target.files;
    target.value = ""; // the same file may be chosen again
    if (!file) return;
    const moving = file.type.startsWith("video/");
    const open = moving ? play(() => openClip(video, file)) : () => photograph(file);
    begin(open, file.name);
  };
  element("stop").onclick = () => begin(async () => {}, "");
  element("smooth").onchange = ({ target }) => (tracker.smooth = target.checked);
  for (const id of ["camera", "file", "stop"]) element(id).disabled = false;
  say(`Ready, ${threads} thread${threads === 1 ? "" : "s"}. Nothing leaves this machine.`);
}

main().catch((error) => say(`The page cannot start: ${error.message}`, true));
