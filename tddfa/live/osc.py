"""Open Sound Control over UDP: messages in bundles that fit a packet."""

import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tddfa.errors import InputError
from tddfa.optional import require

# UDP's payload in an Ethernet frame, less what tunnels and bundles add.
_PACKET = 1400
Value = float | int | str


@dataclass(frozen=True)
class Message:
    """An address and its values: float, int or text each."""

    address: str
    values: tuple[Value, ...] = ()


@dataclass(frozen=True)
class Destination:
    """Where packets go.

    Examples
    --------
    >>> Destination.parse("localhost:39539")
    Destination(host='localhost', port=39539)
    """

    host: str
    port: int

    @classmethod
    def parse(cls, text: str, name: str = "destination") -> "Destination":
        """Return the destination that ``HOST:PORT`` names; IPv6 is ``[::1]:PORT``.

        Raises
        ------
        InputError
            If the text has another form.
        """
        host, colon, port = text.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        if not (colon and host and port.isascii() and port.isdecimal() and len(port) < 6):
            raise InputError(f"{name}: expected HOST:PORT as localhost:39539, got {text!r}")
        if not 0 < int(port) < 1 << 16:
            raise InputError(f"{name}: expected a port from 1 to 65535, got {port}")
        return cls(host, int(port))


class OscSender:
    """Send messages; nobody need be there to take them.

    Raises
    ------
    InputError
        If the host is unknown, or python-osc is missing.
    """

    def __init__(self, destination: Destination) -> None:
        require("sending by OSC", "pythonosc")
        try:
            found = socket.getaddrinfo(destination.host, destination.port, type=socket.SOCK_DGRAM)[
                0
            ]
        except OSError as error:
            raise InputError(f"{destination.host}: expected a host's name or address") from error
        self._address = found[4]
        self._socket = socket.socket(found[0], found[1])
        self._socket.setblocking(False)

    def send(self, messages: Iterable[Message]) -> None:
        """Send messages in as few packets as they fit in; what cannot go out now is dropped."""
        for packet in bundles(list(messages)):
            try:
                self._socket.sendto(packet, self._address)
            except OSError:  # nobody listens, or the network is busy: the next frame is near
                return

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()


def bundles(messages: Sequence[Message]) -> list[bytes]:
    """Return messages as OSC bundles of at most 1,400 bytes, in order."""
    from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
    from pythonosc.osc_message_builder import OscMessageBuilder

    packets: list[bytes] = []
    builder, size = OscBundleBuilder(IMMEDIATELY), 16
    for message in messages:
        content = OscMessageBuilder(message.address)
        for value in message.values:
            content.add_arg(value)
        built = content.build()
        length = built.size + 4
        if size + length > _PACKET and size > 16:
            packets.append(builder.build().dgram)
            builder, size = OscBundleBuilder(IMMEDIATELY), 16
        builder.add_content(built)
        size += length
    if size > 16:
        packets.append(builder.build().dgram)
    return packets
