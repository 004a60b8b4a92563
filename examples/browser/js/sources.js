// Where pictures come from: camera, clip, photograph. Nothing leaves the machine.

const CAMERA = { video: { width: { ideal: 640 }, height: { ideal: 480 }, facingMode: "user" } };
const MAX_SIDE = 1280; // pixels of the canvas

/** What went wrong, for the visitor to read. */
export class SourceError extends Error {}

/** Play the camera in a <video>. */
export async function openCamera(video) {
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new SourceError("The browser offers no camera here: open the page by https or localhost.");
  }
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia(CAMERA);
  } catch (error) {
    throw new SourceError(cameraMessage(error));
  }
  video.srcObject = stream;
  await video.play();
}

function cameraMessage({ name, message }) {
  switch (name) {
    case "NotFoundError":
    case "OverconstrainedError":
      return "No camera was found. Choose a picture or a clip instead.";
    case "NotAllowedError":
      return "The camera was not allowed. Allow it in the address bar, or choose a file.";
    case "NotReadableError":
      return "The camera is in use by another program.";
    default:
      return `The camera cannot be used: ${message}`;
  }
}

/** Play a clip in a <video>, over and over. */
export async function openClip(video, file) {
  video.srcObject = null;
  video.src = URL.createObjectURL(file);
  video.loop = true;
  try {
    await video.play();
  } catch {
    throw new SourceError(`The browser cannot play "${file.name}".`);
  }
}

/** Decode a photograph, upright. */
export async function openPicture(file) {
  try {
    return await createImageBitmap(file);
  } catch {
    throw new SourceError(`The browser cannot read "${file.name}" as a picture.`);
  }
}

/** Stop what plays in a <video> and let go of the camera. */
export function closeSource(video) {
  video.pause();
  video.srcObject?.getTracks().forEach((track) => track.stop());
  video.srcObject = null;
  if (video.src) {
    URL.revokeObjectURL(video.src);
    video.removeAttribute("src");
    video.load();
  }
}

/** Draw a frame on a canvas of its size, or smaller; return its bytes. */
export function grab(context, source, width, height) {
  const scale = Math.min(1, MAX_SIDE / Math.max(width, height));
  const size = [Math.round(width * scale), Math.round(height * scale)];
  const { canvas } = context;
  if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
  context.drawImage(source, 0, 0, ...size);
  return context.getImageData(0, 0, ...size);
}
