"""Compiled functions that are kept on disk, beside their sources or in the user's cache. Importing this takes numba.

What a function calls becomes part of it (`WITHIN`). If it kept a name of its own, the process would run whichever code
of that name it met first: another kernel's, or, where the function was just compiled, what was made of the inner one
alone, whose sums have other last bits.
"""

import inspect
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from time import perf_counter
from typing import Any

from numba import njit

WITHIN: Any = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "forceinline": True}  # of functions others call


def digest(*files: str) -> str:
    """Hexadecimal sha256 of source files."""
    return sha256(b"".join(Path(file).read_bytes() for file in files)).hexdigest()


def cached(function: Callable[..., Any], signature: Any, **options: Any) -> Any:
    """A function that is compiled now, for one signature and with numba's options, or comes from numba's cache."""
    begin = perf_counter()
    new = True
    plain = inspect.unwrap(function)
    try:
        ready = _kept(plain, signature, **options)
        new = bool(ready.stats.cache_misses)
        where = f"and kept in {ready.stats.cache_path}"
    except Exception as error:  # there is no folder to keep it in
        ready = njit(signature, **options)(plain)
        where = f"but could not be kept ({error}): set NUMBA_CACHE_DIR to a folder that can be written"
    if new:
        sys.stderr.write(f"{function.__name__.strip('_')} was compiled in {perf_counter() - begin:.0f} s, {where}\n")
    return ready


def _kept(function: Callable[..., Any], signature: Any, **options: Any) -> Any:
    """The function by numba's cache, which is emptied where it has types that there are no more, or is broken."""
    try:
        return njit(signature, cache=True, **options)(function)
    except Exception:
        unready: Any = njit(cache=True, **options)(function)
        unready._cache.flush()
        return njit(signature, cache=True, **options)(function)
