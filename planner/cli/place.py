"""Places that answers are written to: a file, whole or not at all, or standard output."""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hardware.errors import InputError

__all__ = ["cannot_write", "check_place", "stdout_failure", "with_copy", "write_stdout",
           "write_whole"]  # fmt: skip

# What a write to a stream that takes no more ends with.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)


def write_stdout(text: str) -> None:
    """
    Write to standard output.

    A reader that has seen enough and closed the pipe does not change the
    answer; any other failure is an error.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        _silence_stdout()
        if not isinstance(error, BrokenPipeError):
            raise cannot_write("standard output", error.strerror or str(error)) from None


def _silence_stdout() -> None:
    """Let standard output go nowhere, or the interpreter complains when it ends."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, sys.stdout.fileno())
    os.close(silence)


def stdout_failure(error: OSError) -> InputError | None:
    """What an error says of standard output, which is silenced then; None for other errors."""
    if error.filename is not None or error.errno not in FULL:
        return None
    _silence_stdout()
    return cannot_write("standard output", error.strerror or str(error))


def cannot_write(path: str, found: str) -> InputError:
    """The error of a place that cannot be written."""
    from hardware.errors import Diagnostic, InputError, Where

    return InputError(
        Diagnostic("cannot-write", "the output cannot be written", Where(path), found=found)
    )


def with_copy(error: InputError, text: str) -> InputError:
    """The error, with a hint at a copy of the answer among the temporary files if one fits."""
    import tempfile
    from dataclasses import replace

    from hardware.errors import InputError

    try:
        handle, place = tempfile.mkstemp(prefix="planner-answer-", suffix=".json")
        try:
            with open(handle, "wb") as stream:
                stream.write(text.encode("utf-8"))
        except OSError:
            os.unlink(place)
            raise
    except OSError:
        return error
    return InputError(replace(one, hint=f"the answer is in {place}") for one in error.diagnostics)


def write_whole(path: str, text: str) -> None:
    """
    Write a file whole or not at all; an existing file stays as it was on failure.

    Raises
    ------
    InputError
        The place cannot be written.
    """
    from planner.allocation.solver.interrupt import held

    with held(is_last=False):  # an interrupt comes through when the file is whole
        try:
            _write_whole(os.path.realpath(path), text.encode("utf-8"))
        except OSError as error:
            raise cannot_write(path, error.strerror or str(error)) from None


def _write_whole(place: str, data: bytes) -> None:
    import tempfile

    if os.path.exists(place) and not os.path.isfile(place):
        with open(place, "wb") as stream:  # a device or a pipe: nothing to keep
            stream.write(data)
        return
    folder, name = os.path.split(place)
    handle, draft = tempfile.mkstemp(prefix=f".{name[:40]}.", suffix=".part", dir=folder)
    try:
        with open(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(draft, _mode_of(place))
        os.replace(draft, place)
    except BaseException:
        os.unlink(draft)
        raise


def _mode_of(place: str) -> int:
    """Permissions for a file that takes this place: as before, or as the process makes files."""
    if os.path.exists(place):
        return os.stat(place).st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def check_place(path: str) -> None:
    """
    Refuse a file that cannot be written, before any work is done for it.

    Raises
    ------
    InputError
        The folder is missing or closed to us, or there is a folder of that name.
    """
    if path == "-":
        return
    place = os.path.realpath(path)
    folder = os.path.dirname(place)
    if os.path.isdir(place):
        raise cannot_write(path, os.strerror(errno.EISDIR))
    if not os.path.isdir(folder):
        raise cannot_write(path, os.strerror(errno.ENOENT))
    is_drafted = not os.path.exists(place) or os.path.isfile(place)
    if not os.access(folder if is_drafted else place, os.W_OK):
        raise cannot_write(path, os.strerror(errno.EACCES))
