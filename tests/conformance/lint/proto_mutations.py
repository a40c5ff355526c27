"""Changes of a protobuf at the level of its fields: set to any value, delete, repeat, or take from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

SEEDS = (  # small valid graphs to change
    "g (float[batch,3] x) => (float[batch,3] y) { y = Relu(x) }",
    "g (float[1,2,4,4] x) => (float y) <float[2,2,1,1] w = {1,2,3,4}> { y = Conv<strides=[1,1], group=1>(x, w) }",
    "g (float[b,4] x) => (float[2,2] y) <int64[2] s = {2,2}> { r = Reshape(x, s) y = Softmax<axis=-1>(r) }",
    "g (float[4] x, bool c) => (float y) { y = If(c)<then_branch = a () => (float[4] p) { p = Relu(x) },"
    " else_branch = b () => (float[4] q) { q = Neg(x) }> }",
    "g (float[4] x) => (float y) <float s = {0.1}, uint8 z = {3}> { q = QuantizeLinear(x, s, z)"
    " y = DequantizeLinear(q, s, z) }",
)
_NUMBERS = (0, 1, -1, 2, 3, 7, 64, 99, 1 << 31, (1 << 63) - 1, -(1 << 63), 1 << 40)
_TEXTS = (
    "",
    "x",
    "y",
    "w",
    "axis",
    "then_branch",
    "Relu",
    "If",
    "Loop",
    "Constant",
    "f",
    "ai.onnx.ml",
    "a\0b",
    "9" * 40,
)
_FLOATS = (0.0, -0.0, 1.0, float("nan"), float("inf"), -1e38, 1e-45)

Change = Callable[[Any, Any, Random, Any], None]


def mutate(root: Message, random: Random) -> None:
    """Change one field of one message at any depth."""
    message = random.choice(list(_messages(root)))
    field = random.choice(message.DESCRIPTOR.fields)
    changes: tuple[Change, ...] = (_set, _clear, _repeat, _shuffle, _set)
    random.choice(changes)(message, field, random, root)


def _messages(message: Message) -> Iterator[Message]:
    yield message
    for field, value in message.ListFields():
        if field.message_type is not None:
            for inner in value if field.is_repeated else (value,):
                yield from _messages(inner)


def _set(message: Message, field: FieldDescriptor, random: Random, root: Message) -> None:
    if field.message_type is None:
        _assign(message, field, random)
    else:
        donors = [found for found in _messages(root) if found.DESCRIPTOR is field.message_type]
        target = getattr(message, field.name)
        target = target.add() if field.is_repeated else target
        if donors:
            target.MergeFromString(random.choice(donors).SerializeToString())


def _assign(message: Message, field: FieldDescriptor, random: Random) -> None:
    value = _value(field, random)
    try:
        if not field.is_repeated:
            setattr(message, field.name, value)
        elif (held := getattr(message, field.name)) and random.random() < 0.5:
            held[random.randrange(len(held))] = value
        else:
            held.append(value)
    except (ValueError, TypeError):  # out of the range of the field's type
        message.ClearField(field.name)


def _value(field: FieldDescriptor, random: Random) -> Any:
    makers: dict[int, Callable[[], Any]] = {
        FieldDescriptor.CPPTYPE_STRING: lambda: random.choice(_TEXTS),
        FieldDescriptor.CPPTYPE_FLOAT: lambda: random.choice(_FLOATS),
        FieldDescriptor.CPPTYPE_DOUBLE: lambda: random.choice(_FLOATS),
    }
    if field.type == FieldDescriptor.TYPE_BYTES:
        return random.randbytes(random.randrange(40))
    return makers.get(field.cpp_type, lambda: random.choice((*_NUMBERS, random.randrange(40))))()


def _clear(message: Message, field: FieldDescriptor, random: Random, root: Message) -> None:  # noqa: ARG001
    message.ClearField(field.name)


def _repeat(message: Message, field: FieldDescriptor, random: Random, root: Message) -> None:  # noqa: ARG001
    if field.is_repeated and (held := getattr(message, field.name)):
        held.extend([random.choice(held)] * random.randrange(1, 4))


def _shuffle(message: Message, field: FieldDescriptor, random: Random, root: Message) -> None:  # noqa: ARG001
    if field.is_repeated:
        held = list(getattr(message, field.name))
        random.shuffle(held)
        message.ClearField(field.name)
        getattr(message, field.name).extend(held)
