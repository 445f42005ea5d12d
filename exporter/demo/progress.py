"""Says how far the demo has come: one line that rewrites itself on a terminal, plain lines elsewhere."""

from typing import TextIO

_WIDTH = 20


class Progress:
    """Called with what is being done and the share of the work, 0 to 1, that is behind; `command` begins the lines."""

    def __init__(self, stream: TextIO, command: str) -> None:
        self._stream = stream
        self._command = command

    def __call__(self, text: str, fraction: float) -> None:
        """Shows it."""
        if self._stream.isatty():
            bar = ("#" * round(_WIDTH * fraction)).ljust(_WIDTH, ".")
            end = "\n" if fraction >= 1 else ""
            self._stream.write(f"\r\x1b[K[{bar}] {text}{end}")
        else:
            self._stream.write(f"{self._command}: {fraction:4.0%} {text}\n")
        self._stream.flush()
