"""The process of `inference_process`: reads models from standard input, and writes their values' types as a graph."""

from __future__ import annotations

import sys
from contextlib import suppress

_MEMORY = 3 << 28
_WIDTH = 8


def _limit_memory() -> None:
    with suppress(ImportError, ValueError, OSError):  # where the system has no such limit
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))


def _answer(model: bytes) -> tuple[int, bytes]:
    from onnx import shape_inference  # there since the start

    try:
        graph = shape_inference.infer_shapes(model, data_prop=True).graph
        del graph.node[:], graph.initializer[:]
        return 1, graph.SerializeToString()
    except Exception as error:  # noqa: BLE001 - the isolation boundary: the asker makes a finding of it
        return 0, f"{type(error).__name__}: {error}".encode(errors="replace")


def main() -> None:
    """Answer until the asker closes the pipe."""
    _limit_memory()
    import onnx.shape_inference  # while the asker reads the model  # noqa: F401

    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while len(head := source.read(_WIDTH)) == _WIDTH:
        status, answer = _answer(source.read(int.from_bytes(head, "little")))
        sink.write(status.to_bytes(1, "little") + len(answer).to_bytes(_WIDTH, "little") + answer)
        sink.flush()


if __name__ == "__main__":
    main()
