"""Reading models from files and writing folders whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import mmap
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from assay.converters.wire_format import has_more_fields
from assay.specs.errors import AssayError

if TYPE_CHECKING:
    import onnx
    import onnx_ir as ir

_PROTOBUF_LIMIT = 1 << 31
_FIELDS = 1_000_000  # of what is read; a reader holds some 500 bytes for each
_ATTEMPTS = 20
_COPIED_AT_ONCE = 1 << 24  # bytes


class UnreadableError(AssayError):
    """A file that is missing or is not what it should be."""

    def __init__(self, path: str | os.PathLike[str], reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = Path(path), reason

    def __str__(self) -> str:
        return f"{self.path} {self.reason}"


class UnwritableError(AssayError):
    """An output that can't be written."""

    def __init__(self, path: str | os.PathLike[str], reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = Path(path), reason

    def __str__(self) -> str:
        return f"{self.path} can't be written: {self.reason}"


def model_path(path: str | os.PathLike[str]) -> Path:
    """The ``.onnx`` file that a MODEL argument means: the file itself, or the one in a bundle."""
    given = Path(path)
    if not _exists(given):
        raise UnreadableError(given, "does not exist")
    if given.is_dir():
        inside = given / "model.onnx"
        if not inside.is_file():
            raise UnreadableError(given, "holds no model.onnx, but should be a bundle or an .onnx file")
        return inside
    return given


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:
        raise UnreadableError(path, f"can't be read: {error.strerror}") from error


def read_model(path: str | os.PathLike[str]) -> ir.Model:
    """Read an ONNX file; its external data stays on disk, mapped when used. Raises `UnreadableError`."""
    file = model_path(path)
    return parse_model(read_proto(file), file)


def read_proto(file: Path) -> onnx.ModelProto:
    """The protobuf in an ONNX file, without its external data; raises `UnreadableError`."""
    with mapped_file(file) as data:
        return decode(data[:], file)


@contextmanager
def mapped_file(file: Path) -> Iterator[mmap.mmap]:
    """The bytes of an ONNX file, of which only those that are looked at are read; raises `UnreadableError`."""
    try:
        if not file.is_file():  # a pipe or a device would never end
            raise UnreadableError(file, "is no file, but should be an ONNX model")
        size = file.stat().st_size
        if size == 0:
            raise UnreadableError(file, "is empty, but should be an ONNX model")
        if size >= _PROTOBUF_LIMIT:
            due = "but a protobuf should have less than 2 GiB: save weights apart"
            raise UnreadableError(file, f"has {size} bytes, {due}")
        with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield data
    except OSError as error:
        raise UnreadableError(file, f"can't be read: {error.strerror}") from error


def decode(data: bytes, file: Path) -> onnx.ModelProto:
    """The protobuf that these bytes of the file hold; raises `UnreadableError`."""
    import onnx
    from google.protobuf.message import DecodeError

    if len(data) > 2 * _FIELDS and has_more_fields(data, onnx.ModelProto, _FIELDS):
        raise UnreadableError(file, f"has more than {_FIELDS} fields, which is more than can be judged")
    try:
        proto = onnx.load_model_from_string(data)
    except DecodeError as error:
        raise UnreadableError(file, "is no ONNX model, or is truncated: its protobuf can't be decoded") from error
    except (ValueError, TypeError, KeyError) as error:
        raise UnreadableError(file, f"is no valid ONNX model: {_first_line(error)}") from error
    if not proto.ir_version or not proto.HasField("graph"):
        raise UnreadableError(file, "is no ONNX model: it has no graph")
    return proto


def parse_model(proto: onnx.ModelProto, file: Path) -> ir.Model:
    """The model of a protobuf that was read from this file; raises `UnreadableError`."""
    import onnx_ir as ir

    try:
        model = ir.from_proto(proto)
        ir.external_data.set_base_dir(model.graph, file.parent)  # which walks subgraphs, some of them malformed
    except (ValueError, TypeError, KeyError, ir.serde.SerdeError) as error:
        raise UnreadableError(file, f"is no valid ONNX model: {_first_line(_root(error))}") from error
    return model


def sha256(path: Path) -> str:
    """The hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all: to a temporary name beside it, then rename."""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            os.chmod(temporary, 0o644)  # mkstemp's own is the owner's alone
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UnwritableError(path, error.strerror or str(error)) from error


def copy_file(source: Path, target: Path) -> None:
    """Copy a file without reading it here: the kernel shares its blocks where the file system can; holes stay holes.

    No hard link: onnx refuses to load external data that has two names. Raises OSError.
    """
    with source.open("rb") as old, target.open("xb") as new:
        size = os.fstat(old.fileno()).st_size
        try:
            for start, end in _extents(old.fileno(), size):
                _copy_range(old.fileno(), new.fileno(), start, end)
        except (OSError, AttributeError):  # another system, or a file system that can't
            old.seek(0)
            new.seek(0)
            shutil.copyfileobj(old, new, _COPIED_AT_ONCE)
        new.truncate(size)


def _extents(file: int, size: int) -> Iterator[tuple[int, int]]:
    """Where a file holds data, from byte to byte; what lies between takes no space."""
    end = 0
    while end < size:
        try:
            start = os.lseek(file, end, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:  # none up to the end
                return
            raise
        end = os.lseek(file, start, os.SEEK_HOLE)
        yield start, end


def _copy_range(old: int, new: int, start: int, end: int) -> None:
    while start < end:
        copied = os.copy_file_range(old, new, end - start, start, start)
        if copied == 0:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        start += copied


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A temporary folder that takes the place of ``target`` when the block ends well, and vanishes when it does not."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    except OSError as error:
        raise UnwritableError(target, error.strerror or str(error)) from error
    try:
        temporary.chmod(0o755)
        yield temporary
        _replace_folder(temporary, target)
    except OSError as error:
        raise UnwritableError(target, error.strerror or str(error)) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _replace_folder(new: Path, target: Path) -> None:
    """Put the new folder in place of the old; where others do so at the same time, the last one stays, whole."""
    old = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.old."))
    try:
        for attempt in range(_ATTEMPTS):
            with suppress(FileNotFoundError):
                target.rename(old / str(attempt))
            try:
                new.rename(target)
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST) or attempt == _ATTEMPTS - 1:
                    _put_back(old / str(attempt), target)
                    raise
            else:
                return
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _put_back(old: Path, target: Path) -> None:
    with suppress(OSError):
        old.rename(target)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def _root(error: BaseException) -> BaseException:
    return error if error.__cause__ is None else _root(error.__cause__)
