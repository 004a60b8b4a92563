import socket

import pytest

from tddfa.errors import InputError
from tddfa.live.osc import Destination, Message, OscSender, bundles

pythonosc = pytest.importorskip("pythonosc")


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [("localhost:39539", "localhost", 39539), ("10.0.0.7:1", "10.0.0.7", 1), ("[::1]:9", "::1", 9)],
)
def test_destination(text, host, port):
    assert Destination.parse(text) == Destination(host, port)


@pytest.mark.parametrize("text", ["", "localhost", ":39539", "a:b", "a:0", "a:65536", "a:-1", "a:"])
def test_no_destination(text):
    with pytest.raises(InputError, match="--vmc: expected"):
        Destination.parse(text, "--vmc")


def contents(packet):
    from pythonosc.osc_bundle import OscBundle

    return [(message.address, tuple(message.params)) for message in OscBundle(packet)]


def test_nothing_to_send():
    assert bundles([]) == []


def test_bundles_hold_all_messages_in_order_and_fit_a_packet():
    messages = [Message(f"/a/{i}", (float(i), i, f"n{i}")) for i in range(200)]
    packets = bundles(messages)
    assert len(packets) > 1 and max(map(len, packets)) <= 1400
    found = [content for packet in packets for content in contents(packet)]
    assert found == [(m.address, m.values) for m in messages]


def test_a_message_larger_than_a_packet_goes_out_alone():
    packets = bundles([Message("/a", (1,)), Message("/b", ("x" * 2000,)), Message("/c", (2,))])
    assert [contents(packet)[0][0] for packet in packets] == ["/a", "/b", "/c"]


def test_sender():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(5)
        sender = OscSender(Destination("127.0.0.1", listener.getsockname()[1]))
        sender.send([Message("/hello", ("there", 1.5))])
        assert contents(listener.recv(2000)) == [("/hello", ("there", 1.5))]
        sender.close()


def test_nobody_listens():
    sender = OscSender(Destination("127.0.0.1", 9))
    for _ in range(3):  # the first one's refusal comes back with the second
        sender.send([Message("/hello")])
    sender.close()


def test_unknown_host():
    with pytest.raises(InputError, match="expected a host's name or address"):
        OscSender(Destination("nowhere.invalid", 39539))


def test_without_the_package(monkeypatch):
    monkeypatch.setattr("tddfa.optional.find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip install python-osc"):
        OscSender(Destination("localhost", 39539))
