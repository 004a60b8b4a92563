"""What the visitor sees, in Gradio's components."""

import logging
from pathlib import Path
from typing import Any

import gradio as gr

from tddfa.errors import InputError
from tddfa.outputs import OUTPUTS, output_names
from tddfa.web.jobs import JobChoices, JobResult, Networks, run_upload
from tddfa.web.limits import Limits
from tddfa.web.storage import Storage

logger = logging.getLogger(__name__)

TITLE = "3D dense face alignment"
# Fonts that the visitor's machine has: none is fetched.
_FONT, _MONO = ["system-ui", "sans-serif"], ["ui-monospace", "monospace"]
_TYPES = ["image", "video", ".heic", ".heif", ".avif", ".mkv"]


def theme() -> Any:
    """Return the look of the page."""
    return gr.themes.Default(font=_FONT, font_mono=_MONO)


def build_page(networks: Networks, storage: Storage, limits: Limits) -> gr.Blocks:
    """Return the page.

    Parameters
    ----------
    networks : Networks
    storage : Storage
        Within Gradio's own folder for uploads, which is the only one that it serves.
    limits : Limits
    """
    drawn = [name for name, output in OUTPUTS.items() if output.draw is not None]

    def work(
        upload: str | None,
        option: str,
        alpha: float,
        neighbors: float,
        weights: str,
        progress: Any = gr.Progress(),  # noqa: B008 (Gradio finds it by its default)
    ) -> list[Any]:
        if upload is None:
            raise gr.Error("choose a picture or a clip first", print_exception=False)
        choices = JobChoices(option, alpha, int(neighbors), weights)
        try:
            result = run_upload(
                Path(upload), storage.new_job(), networks, choices, limits, progress
            )
        except InputError as error:
            raise gr.Error(str(error), print_exception=False) from None
        except Exception:
            logger.exception("an upload failed")
            raise gr.Error("this failed for a reason of ours", print_exception=False) from None
        return _shown(result, drawn)

    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True) as page:
        gr.Markdown(f"# {TITLE}\n{_intro(limits)}")
        with gr.Row():
            with gr.Column(scale=1, min_width=280):
                upload = _upload()
                button = gr.Button("Align", variant="primary")
                found = gr.Markdown()
                weights = gr.Radio(
                    networks.names,
                    value=networks.names[0],
                    label="Weights",
                    visible=len(networks.names) > 1,
                )
                alpha = gr.Slider(0, 1, 0.6, step=0.05, label="Picture: alpha of the mesh (3d)")
                option = gr.Dropdown(output_names(video=True), label="Clip: output")
                neighbors = gr.Slider(
                    0, 5, 1, step=1, label="Clip: smoothing, frames before and after"
                )
            with gr.Column(scale=3), gr.Tabs() as tabs:
                with gr.Tab("all", id="all"):
                    gallery = gr.Gallery(
                        label="Every drawing",
                        columns=3,
                        height=620,
                        interactive=False,
                        buttons=["download", "fullscreen"],
                    )
                pictures = []
                for name in drawn:
                    with gr.Tab(name):
                        label = OUTPUTS[name].summary
                        pictures.append(_image(label))
                with gr.Tab("head") as head_tab:
                    viewer = gr.Model3D(label="Textured head, glTF", interactive=False, height=620)
                with gr.Tab("clip", id="clip"):
                    video = gr.Video(
                        label="The clip, drawn on",
                        interactive=False,
                        height=620,
                        buttons=["download"],
                    )
                with gr.Tab("files"):
                    files = gr.File(label="Meshes, drawings, numbers", interactive=False)
        head = gr.State()
        button.click(
            work,
            [upload, option, alpha, neighbors, weights],
            [found, tabs, gallery, *pictures, head, video, files],
            api_name="align",
            concurrency_limit=limits.at_once,
        )
        # The viewer starts only where it is seen, and what it draws is not light.
        head_tab.select(lambda path: path, head, viewer, api_visibility="private")
    page.queue(max_size=limits.waiting)
    return page


def _intro(limits: Limits) -> str:
    return (
        f"Pictures up to {limits.megapixels} megapixels, clips up to {limits.clip_seconds} s, "
        f"{limits.upload_mb} MB. Nothing is kept longer than {limits.keep_seconds // 60} minutes."
    )


def _shown(result: JobResult, drawn: list[str]) -> list[Any]:
    """Return the values of the page's components, in the order of its outputs."""
    drawings = [(str(path), name) for name, path in result.drawings.items()]
    return [
        result.text,
        gr.Tabs(selected="clip" if result.video else "all"),
        drawings or None,
        *(_text(result.drawings.get(name)) for name in drawn),
        _text(result.head),
        _text(result.video),
        [str(path) for path in result.files] or None,
    ]


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _upload() -> gr.File:
    """Return what the visitor puts a file into; an address, which would be fetched, is refused."""
    component: Any = gr.File(label="Picture or clip", file_types=_TYPES, height=160)
    take = component.async_move_resource_to_block_cache

    async def take_files_alone(path: str | Path | None) -> str | None:
        if "://" in str(path):
            raise gr.Error("expected a file, got an address", print_exception=False)
        taken: str | None = await take(path)
        return taken

    # No class of our own: Gradio would write a stub beside this file.
    component.async_move_resource_to_block_cache = take_files_alone
    file: gr.File = component
    return file


def _image(label: str) -> gr.Image:
    buttons: Any = ["download", "fullscreen"]  # and not one that shares it with the world
    return gr.Image(label=label, interactive=False, height=620, buttons=buttons)
