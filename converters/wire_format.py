"""The wire format of protobuf, walked without decoding: how many fields a file holds, and where its weights lie in it.

Source: protobuf's "Encoding" page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from google.protobuf.message import Message

BYTES = 2  # the wire type of text, messages and packed numbers
_VARINT, _FIXED64, _FIXED32 = 0, 1, 5
_WIDTHS = {_FIXED64: 8, _FIXED32: 4}
_ELEMENTS = frozenset({"raw_data", "float_data", "int32_data", "int64_data", "double_data", "uint64_data"})
_LEAF_BYTES = 256  # of text, or of numbers that a reader holds one by one, count as one field
_DEPTH = 100  # beyond which protobuf refuses
_RAW_DATA, _EXTERNAL_DATA, _DATA_LOCATION = 9, 13, 14  # of TensorProto
_KEY, _VALUE = 1, 2  # of StringStringEntryProto


class Buffer(Protocol):
    """Bytes, or a mapped file."""

    def __getitem__(self, place: slice, /) -> bytes: ...

    def __len__(self) -> int: ...


def has_more_fields(data: Buffer, kind: type[Message], limit: int) -> bool:
    """Whether a message of this type holds more fields, at any depth, than the limit; broken bytes hold no more."""
    count = 0
    waiting = [(0, len(data), kind.DESCRIPTOR)]
    while waiting:
        start, end, descriptor = waiting.pop()
        for number, _, begin, stop in _fields(data, start, end):
            field = descriptor.fields_by_number.get(number)
            count += 1
            if field is not None and field.message_type is not None:
                waiting.append((begin, stop, field.message_type))
            elif field is None or field.name not in _ELEMENTS:
                count += (stop - begin) // _LEAF_BYTES
            if count > limit:
                return True
    return False


Piece = range | bytes  # positions in a buffer that are kept, or what stands in their stead


def without_weights(data: Buffer, kind: type[Message], smallest: int, location: str) -> list[Piece]:
    """The message with each tensor's raw data of at least so many bytes replaced by its place in the buffer.

    The place is told as that of external data: ``location``, offset and length in bytes.
    """
    return _Stripping(data, smallest, location).message(0, len(data), kind.DESCRIPTOR)


def joined(data: Buffer, pieces: Sequence[Piece]) -> bytes:
    """The bytes that the pieces stand for."""
    return b"".join(data[piece.start : piece.stop] if isinstance(piece, range) else piece for piece in pieces)


class _Stripping:
    def __init__(self, data: Buffer, smallest: int, location: str) -> None:
        self.data, self.smallest, self.location = data, smallest, location

    def message(self, start: int, end: int, descriptor: Any, depth: int = 0) -> list[Piece]:
        """The message in pieces."""
        if end - start < self.smallest or depth > _DEPTH:
            return [range(start, end)]
        if descriptor.name == "TensorProto":
            return self._tensor(start, end)
        pieces: list[Piece] = []
        copied = start
        for number, key, begin, stop in _fields(self.data, start, end):
            field = descriptor.fields_by_number.get(number)
            if stop - begin >= self.smallest and field is not None and field.message_type is not None:
                inner = self.message(begin, stop, field.message_type, depth + 1)
                length = encoded(sum(map(len, inner)))
                pieces += [range(copied, key), encoded(number << 3 | BYTES), length, *inner]
                copied = stop
        return [*pieces, range(copied, end)]

    def _tensor(self, start: int, end: int) -> list[Piece]:
        fields = list(_fields(self.data, start, end))
        raw = [field for field in fields if field[0] == _RAW_DATA and field[3] - field[2] >= self.smallest]
        if len(raw) != 1 or any(field[0] in (_EXTERNAL_DATA, _DATA_LOCATION) for field in fields):
            return [range(start, end)]
        _, before, begin, stop = raw[0]
        place = {"location": self.location, "offset": str(begin), "length": str(stop - begin)}
        entries = [
            _bytes(_EXTERNAL_DATA, _bytes(_KEY, k.encode()) + _bytes(_VALUE, v.encode())) for k, v in place.items()
        ]
        external = encoded(_DATA_LOCATION << 3 | _VARINT) + encoded(1)
        return [range(start, before), *entries, external, range(stop, end)]


def _fields(data: Buffer, position: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Each field's number, and where its key and its content begin and its content ends; up to the first broken one."""
    while position < end:
        start = position
        key, position = _varint(data, position)
        wire, begin = key & 7, position
        if wire == BYTES:
            length, begin = _varint(data, position)
            position = begin + length
        elif wire == _VARINT:
            _, position = _varint(data, position)
        elif wire in _WIDTHS:
            position += _WIDTHS[wire]
        else:
            return
        if position > end:
            return
        yield key >> 3, start, begin, position


def _varint(data: Buffer, position: int) -> tuple[int, int]:
    """A number of seven bits a byte, the last of which has no eighth; and where it ends."""
    value = 0
    for shift, byte in enumerate(data[position : position + 10]):
        value |= (byte & 0x7F) << 7 * shift
        if byte < 0x80:
            return value, position + shift + 1
    return value, len(data) + 1


def encoded(value: int) -> bytes:
    """A number of seven bits a byte."""
    head = bytearray()
    while value > 0x7F:
        head.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*head, value])


def _bytes(number: int, content: bytes) -> bytes:
    return encoded(number << 3 | BYTES) + encoded(len(content)) + content
