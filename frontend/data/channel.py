"""Messages between a loader and one worker, over a pair of sockets.

The loader's side never blocks: what the worker does not take yet waits here, so that the two can
never wait for each other. Descriptors of shared memory travel beside the messages.
"""

from __future__ import annotations

import pickle
import socket
import struct
from collections import deque
from typing import Any

_HEAD = struct.Struct("!Q")
_PIECE = 1 << 18


class Channel:
    """One end of a pair of sockets.

    Args:
        end: the socket.
    """

    def __init__(self, end: socket.socket) -> None:
        self.socket = end
        self.descriptors: deque[int] = deque()
        self._incoming = bytearray()
        self._outgoing = bytearray()
        self.ended = False

    def fileno(self) -> int:
        """The descriptor to wait for."""
        return self.socket.fileno()

    @property
    def has_outgoing(self) -> bool:
        """True while something waits for the other side."""
        return bool(self._outgoing)

    def send(self, message: Any, descriptor: int | None = None) -> None:
        """Send a message, and wait until the other side has taken it."""
        framed = _framed(message)
        sent = 0
        if descriptor is not None:
            sent = socket.send_fds(self.socket, [framed], [descriptor])
        self.socket.sendall(memoryview(framed)[sent:])

    def post(self, message: Any) -> None:
        """Send a message as far as that is possible now; ``flush`` sends the rest."""
        self._outgoing += _framed(message)
        self.flush()

    def flush(self) -> None:
        """Send what waits, as far as that is possible now."""
        while self._outgoing and not self.ended:
            try:
                sent = self.socket.send(self._outgoing[:_PIECE], socket.MSG_DONTWAIT)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:  # the other side is gone; ``collect`` tells
                self._outgoing.clear()
                return
            del self._outgoing[:sent]

    def collect(self) -> None:
        """Take in what has arrived; call it when the socket is readable."""
        try:
            piece, descriptors, _, _ = socket.recv_fds(self.socket, _PIECE, 16)
        except InterruptedError:
            return
        except ConnectionError:
            piece, descriptors = b"", []
        self.descriptors.extend(descriptors)
        self._incoming += piece
        self.ended = self.ended or not piece

    def messages(self) -> list[Any]:
        """The complete messages that were collected."""
        found, place = [], 0
        while len(self._incoming) >= place + _HEAD.size:
            (size,) = _HEAD.unpack_from(self._incoming, place)
            start = place + _HEAD.size
            if len(self._incoming) < start + size:
                break
            found.append(pickle.loads(memoryview(self._incoming)[start : start + size]))
            place = start + size
        del self._incoming[:place]
        return found

    def close(self) -> None:
        """Close the socket, and descriptors that nobody took."""
        self.socket.close()
        while self.descriptors:
            socket.close(self.descriptors.popleft())


def _framed(message: Any) -> bytes:
    content = pickle.dumps(message, protocol=5)
    return _HEAD.pack(len(content)) + content
