"""`tddfa web` before anything is served."""

import pytest

from tddfa.commands import web
from tddfa.commands.main import main
from tddfa.web.headers import HEADERS, SafeHeaders
from tddfa.web.process import server_environment


def test_without_gradio_one_line(monkeypatch, capsys):
    monkeypatch.setattr(web, "find_spec", lambda name: None)
    assert main(["web"]) == 2
    assert capsys.readouterr().err == ("error: tddfa web needs Gradio: pip install gradio\n")


@pytest.mark.parametrize("words", [["--port", "0"], ["--port", "65536"], ["--upload_mb", "-1"]])
def test_bad_arguments(words, capsys):
    with pytest.raises(SystemExit) as info:
        main(["web", *words])
    assert info.value.code == 2
    assert words[0] in capsys.readouterr().err


def test_the_servers_environment(tmp_path):
    inherited = {"GRADIO_SHARE": "True", "GRADIO_ALLOWED_PATHS": "/", "HOME": "/root", "TMP": "/"}
    settings = server_environment(inherited, tmp_path)
    assert settings["HOME"] == "/root" and settings["GRADIO_ANALYTICS_ENABLED"] == "False"
    assert "GRADIO_SHARE" not in settings and "GRADIO_ALLOWED_PATHS" not in settings
    assert settings["GRADIO_TEMP_DIR"].startswith(str(tmp_path))
    assert not settings["TMP"].startswith(settings["GRADIO_TEMP_DIR"])
    assert inherited["TMP"] == "/"


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_headers(kind):
    async def app(scope, receive, send):
        await send({"type": f"{kind}.response.start", "headers": [(b"a", b"b")]})

    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {}

    coroutine = SafeHeaders(app)({"type": kind}, receive, send)
    with pytest.raises(StopIteration):
        coroutine.send(None)
    expected = [(b"a", b"b"), *(HEADERS if kind == "http" else ())]
    assert sent[0]["headers"] == expected
