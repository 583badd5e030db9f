"""Look at columns of text without copying them: how long cells are, how they begin and end."""

import numpy as np
import pyarrow as pa


def lengths(cells: pa.Array) -> np.ndarray:
    """Return the number of bytes in each cell of a large_string array (int64)."""
    return np.diff(_offsets(cells))


def first_bytes(cells: pa.Array) -> np.ndarray:
    """Return the first byte of each cell of a large_string array (uint8), 0 for an empty one."""
    offsets = _offsets(cells)
    text = _text(cells)
    first = np.zeros(len(cells), np.uint8)
    filled = offsets[1:] > offsets[:-1]
    first[filled] = text[offsets[:-1][filled]]
    return first


def begins_with(cells: pa.Array, signs: bytes) -> np.ndarray:
    """Tell which cells begin with one of the signs, all of them ASCII."""
    wanted = np.zeros(256, bool)
    wanted[list(signs)] = True
    return np.asarray(wanted[first_bytes(cells)])


def end_with(cells: pa.Array, tails: pa.Array) -> np.ndarray:
    """Tell which cells end with the text that stands in the same row of another array."""
    length, fits = lengths(tails), lengths(cells) >= lengths(tails)
    length = np.where(fits, length, 0)
    first = np.cumsum(length) - length
    within = np.arange(length.sum()) - np.repeat(first, length)
    at = np.repeat(_offsets(cells)[1:] - length, length) + within
    tail_at = np.repeat(_offsets(tails)[1:] - length, length) + within
    differing = np.flatnonzero(_text(cells)[at] != _text(tails)[tail_at])
    ends = fits.copy()
    ends[np.searchsorted(np.cumsum(length), differing, side="right")] = False
    return ends


def only(cells: pa.Array, mask: np.ndarray) -> pa.Array:
    """Return the cells, null where the mask does not hold; the text is not copied."""
    _, offsets, text = cells.buffers()
    bits = np.packbits(np.append(np.zeros(cells.offset, bool), mask), bitorder="little")
    held = [pa.py_buffer(bits.tobytes()), offsets, text]
    return pa.Array.from_buffers(cells.type, len(cells), held, offset=cells.offset)


def _offsets(cells: pa.Array) -> np.ndarray:
    held = np.frombuffer(cells.buffers()[1], np.int64)
    return held[cells.offset : cells.offset + len(cells) + 1]


def _text(cells: pa.Array) -> np.ndarray:
    held = cells.buffers()[2]
    return np.frombuffer(held if held is not None else b"", np.uint8)
