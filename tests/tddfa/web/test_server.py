"""The page as visitors meet it: over HTTP, several at once, and as somebody with bad intentions."""

import signal
import subprocess
import sys
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from benchmarks.chromium import chromium, find_chromium
from tddfa.io.pictures import imread, imwrite

pytest.importorskip("gradio")
client_package = pytest.importorskip("gradio_client")
httpx = pytest.importorskip("httpx")
pytestmark = pytest.mark.slow

CHOICES = ("2d_sparse", 0.6, 1, "x1.0")
UPLOAD_MB = 2


@pytest.fixture(scope="module")
def server(project_root, tmp_path_factory):
    """The server as a user starts it; its address and the folder that its files lie in."""
    temporary = tmp_path_factory.mktemp("temporary")
    command = [sys.executable, "-c", START.format(folder=str(temporary))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=project_root) as process:
        try:
            yield process.stdout.readline().split()[0], temporary
        finally:
            process.send_signal(signal.SIGINT)
            code = process.wait(30)
    assert code == 0
    assert not list(temporary.iterdir())


START = f"""
import signal, sys, tempfile
signal.signal(signal.SIGINT, signal.default_int_handler)
tempfile.tempdir = {{folder!r}}
from tddfa.commands.main import main
sys.exit(main(["web", "--threads", "1", "--upload_mb", "{UPLOAD_MB}"]))
"""


@pytest.fixture
def client(server):
    return client_package.Client(server[0], verbose=False)


@pytest.fixture
def portrait(project_root):
    return project_root / "examples" / "inputs" / "astronaut.png"


def align(client, path):
    return client.predict(client_package.handle_file(path), *CHOICES, api_name="/align")


def shown(result):
    """Return the table of faces and the picture of the first drawing."""
    return result[0], imread(result[1][0]["image"])


def test_page_needs_nothing_from_elsewhere(server):
    answer = httpx.get(server[0])
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "http" not in policy and "default-src 'self'" in policy
    assert "fonts.googleapis.com" not in answer.text and "/docs" not in answer.text


def test_two_visitors_at_once(server, portrait, tmp_path):
    image = imread(portrait)
    pictures = {1: image, 2: np.hstack([image, image[:, ::-1]])}
    for number, picture in pictures.items():
        imwrite(tmp_path / f"{number}.png", picture)

    def visit(number):
        client = client_package.Client(server[0], verbose=False)
        return [shown(align(client, tmp_path / f"{number}.png")) for _ in range(2)]

    with ThreadPoolExecutor(2) as visitors:
        results = dict(zip(pictures, visitors.map(visit, pictures), strict=True))
    for number, seen in results.items():
        for text, drawing in seen:
            assert text.count("\n") == 1 + number
            assert drawing.shape == pictures[number].shape


@pytest.mark.parametrize("data", [b"hello", b"", b"#EXTM3U\n/etc/passwd\n"])
def test_bad_uploads_are_told(client, server, tmp_path, data):
    (tmp_path / "bad.png").write_bytes(data)
    with pytest.raises(client_package.exceptions.AppError) as info:
        align(client, tmp_path / "bad.png")
    text = str(info.value)
    assert "file is empty" in text or "picture" in text
    assert str(server[1]) not in text and "Traceback" not in text


def test_nothing_chosen(client):
    with pytest.raises(client_package.exceptions.AppError, match="choose a picture"):
        client.predict(None, *CHOICES, api_name="/align")


def test_too_large_upload_is_refused(client, server, tmp_path):
    path = tmp_path / "large.png"
    path.write_bytes(bytes((UPLOAD_MB << 20) + 4096))
    with pytest.raises(ValueError, match="exceeds the maximum file size"):
        align(client, path)
    with path.open("rb") as file:
        answer = httpx.post(f"{server[0]}gradio_api/upload", files={"files": file})
    assert answer.status_code == 413
    assert not [
        path for path in server[1].rglob("*") if path.is_file() and path.name == "large.png"
    ]


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "https://example.com/picture.png", "http://127.0.0.1:1/x.png", "README.md"],
)
def test_uploads_cannot_name_files_or_addresses(server, path):
    events = events_of(server[0], path)
    assert "event: error" in events and "event: complete" not in events
    assert "root:" not in events


def test_what_was_sent_can_be_named(server, portrait):
    """Else the test above would pass whatever the server does."""
    with portrait.open("rb") as file:
        sent = httpx.post(f"{server[0]}gradio_api/upload", files={"files": file}).json()
    assert "event: complete" in events_of(server[0], sent[0])


def events_of(address, path):
    """Return what the server says of an upload that is named by its path."""
    data = [{"path": path, "meta": {"_type": "gradio.FileData"}}, *CHOICES]
    answer = httpx.post(f"{address}gradio_api/call/align", json={"data": data}, timeout=60)
    assert answer.status_code == 200
    event = answer.json()["event_id"]
    return httpx.get(f"{address}gradio_api/call/align/{event}", timeout=120).text


def test_no_file_of_the_server_is_served(server, project_root, client, portrait):
    align(client, portrait)
    visitor = httpx.Client()
    secret = server[1] / "secret.txt"
    secret.write_text("secret")
    try:
        served = next(server[1].glob("tddfa_web_*/served"))
        names = [
            "/etc/passwd",
            str(project_root / "README.md"),
            "README.md",
            str(secret),
            f"{served}/../../secret.txt",
            f"{served}/../temporary/x",
            f"{served}/%2e%2e/%2e%2e/secret.txt",
            "../../../../../../etc/passwd",
            "..%2f..%2f..%2f..%2fetc/passwd",
            "file:///etc/passwd",
        ]
        for name in names:
            for route in ("gradio_api/file=", "file=", "gradio_api/stream/", "static/", "assets/"):
                for path in (name, urllib.parse.quote(name, safe="")):
                    answer = visitor.get(f"{server[0]}{route}{path}")
                    assert answer.status_code >= 400, (route, path)
                    assert answer.text != "secret" and "root:" not in answer.text
    finally:
        secret.unlink()


def test_the_server_fetches_nothing_for_visitors(server):
    answer = httpx.get(f"{server[0]}gradio_api/proxy=https://example.com/")
    assert answer.status_code >= 400
    answer = httpx.get(f"{server[0]}gradio_api/file=https://example.com/", follow_redirects=False)
    assert answer.status_code >= 300  # the visitor's browser is sent there, at most


@pytest.mark.skipif(find_chromium() is None, reason="apt-get install chromium")
def test_in_a_browser(server, portrait, tmp_path):
    (tmp_path / "large.png").write_bytes(bytes((UPLOAD_MB << 20) + 4096))
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with chromium() as tab:

        def send(path):
            tab.open(server[0])
            tab.wait_for("document.querySelector('input[type=file]')")
            tab.choose_file("input[type=file]", path)

        def click(role, text):
            tab.evaluate(
                f"[...document.querySelectorAll('{role}')]"
                f".filter(found => found.textContent.trim() === '{text}').at(-1).click()"
            )

        send(portrait)
        tab.wait_for("/astronaut/.test(document.body.innerText)")
        click("button", "Align")
        tab.wait_for("/yaw/.test(document.body.innerText)", 60)
        tab.wait_for("document.querySelectorAll('.grid-wrap img, .gallery-item img').length >= 7")
        click("[role=tab]", "head")
        tab.wait_for("document.querySelector('canvas')", 60)

        send(tmp_path / "broken.png")
        tab.wait_for("/broken/.test(document.body.innerText)")
        click("button", "Align")
        tab.wait_for("document.querySelector('.toast-body')")
        assert "picture" in tab.evaluate("document.querySelector('.toast-body').innerText")

        send(tmp_path / "large.png")
        tab.wait_for("document.querySelector('.toast-body')")
        assert "size" in tab.evaluate("document.querySelector('.toast-body').innerText")
        requests = [event for event in tab.events if event["method"] == "Network.requestWillBeSent"]
        urls = [event["params"]["request"]["url"] for event in requests]
        assert urls and all(url.startswith((server[0], "data:", "blob:")) for url in urls)


def test_a_port_that_is_taken(server, project_root, assert_one_line):
    port = str(urllib.parse.urlsplit(server[0]).port)
    command = [sys.executable, "-m", "tddfa", "web", "--port", port]
    done = subprocess.run(command, capture_output=True, text=True, cwd=project_root, timeout=180)
    assert_one_line((done.returncode, done.stdout, done.stderr), "--port", port)
