"""Files that are written whole or not at all."""

import os
from pathlib import Path
from uuid import uuid4


def write_in_one_stroke(path: Path, content: bytes | str) -> None:
    """Write a file, or replace it, so that no reader and no crash ever finds half of it.

    The content (text as UTF-8) goes to a temporary file in the same folder, is flushed to the disk, and gets its name
    by a rename. Raises OSError where that fails: the file is then what it was. The folder is made where there is none.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{uuid4().hex}")  # not by process: machines that share a folder count alike
    try:
        with temporary.open("xb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
