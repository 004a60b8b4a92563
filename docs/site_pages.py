"""Pages of the site that do not lie in this folder: the README and its like, and the API's.

A hook of MkDocs (``mkdocs.yml``). The documents are written for whoever reads them in the
repository; here their links are turned to where the same page is on the site. Links to files that
are no page keep their text alone, for the site does not hold them.
"""

import ast
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
# What lies elsewhere in the repository, and its page.
ELSEWHERE = {
    "README.md": "index.md",
    "weights/README.md": "weights.md",
    "examples/README.md": "examples.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
}
# Packages whose public modules have a page in the reference; in this order.
PACKAGES = ("tddfa", "Sim3DR", "FaceBoxes", "utils", "training")
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")
IMAGES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".svg")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Add the reference to the navigation."""
    groups: list[Any] = []
    for package in PACKAGES:
        names = [name for name in modules() if name.split(".")[0] == package]
        groups.append({package: [{name: f"reference/{name}.md"} for name in names]})
    assert config.nav is not None
    if not any("Reference" in item for item in config.nav):
        config.nav.append({"Reference": groups})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages and the pictures that they show."""
    for source, page in ELSEWHERE.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=text))
        for target in _pictures(text, posixpath.dirname(source)):
            if not target.startswith("docs/"):
                files.append(File.generated(config, target, abs_src_path=str(ROOT / target)))
    for name in modules():
        content = f"# {name}\n\n::: {name}\n    options:\n      show_root_heading: false\n"
        files.append(File.generated(config, f"reference/{name}.md", content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links to where the same page is on the site."""
    uri = page.file.src_uri
    if uri.startswith("reference/"):
        return markdown
    here = next((source for source, target in ELSEWHERE.items() if target == uri), f"docs/{uri}")
    return LINK.sub(lambda match: _turned(match, posixpath.dirname(here)), markdown)


def modules() -> list[str]:
    """Return the public modules that have something public in them, packages first."""
    found = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            if parts[-1] == "__init__":
                parts = parts[:-1]
            if not any(part.startswith("_") for part in parts) and _has_public(path):
                found.append(".".join(parts))
    return sorted(found)


def _has_public(path: Path) -> bool:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    kinds = (ast.FunctionDef, ast.ClassDef)
    return any(isinstance(node, kinds) and not node.name.startswith("_") for node in body)


def _pictures(text: str, folder: str) -> set[str]:
    targets = (posixpath.normpath(posixpath.join(folder, m[2])) for m in LINK.findall(text) if m[0])
    return {target for target in targets if (ROOT / target).is_file()}


def _turned(match: re.Match[str], folder: str) -> str:
    bang, text, target = match.groups()
    path, _, anchor = target.partition("#")
    if "://" in target or not path:
        return match.group()
    in_repository = posixpath.normpath(posixpath.join(folder, path))
    if in_repository in ELSEWHERE:
        on_site = ELSEWHERE[in_repository]
    elif in_repository.startswith("docs/") and in_repository.endswith((".md", *IMAGES)):
        on_site = in_repository.removeprefix("docs/")
    elif bang:
        on_site = in_repository
    else:
        return text
    return f"{bang}[{text}]({on_site}{'#' + anchor if anchor else ''})"
