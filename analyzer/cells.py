"""Look at columns of text without copying them: how long cells are, how they begin and end."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def lengths(cells: pa.Array) -> np.ndarray:
    """Return the number of bytes in each cell of a large_string array (int64)."""
    return np.diff(_offsets(cells))


def bytes_at(cells: pa.Array, place: int | np.ndarray) -> np.ndarray:
    """Return the byte at a place in each cell of a large_string array (uint8), 0 outside of it."""
    within = np.broadcast_to((place >= 0) & (place < lengths(cells)), len(cells))
    found = np.zeros(len(cells), np.uint8)
    found[within] = _text(cells)[(_offsets(cells)[:-1] + place)[within]]
    return found


def begins_with(cells: pa.Array, signs: bytes) -> np.ndarray:
    """Tell which cells begin with one of the signs, all of them ASCII."""
    wanted = np.zeros(256, bool)
    wanted[list(signs)] = True
    return np.asarray(wanted[bytes_at(cells, 0)])


def made_of(cells: pa.Array, signs: bytes) -> np.ndarray:
    """Tell which cells hold nothing but these signs, all of them ASCII."""
    offsets = _offsets(cells)
    held = _text(cells)[offsets[0] : offsets[-1]].tobytes()
    made = np.ones(len(cells), bool)
    if held.translate(None, signs):
        marked = np.frombuffer(held.translate(_marking(signs)), bool)
        foreign = offsets[0] + np.flatnonzero(marked)
        made[np.searchsorted(offsets[1:], foreign, side="right")] = False
    return made


def _marking(signs: bytes) -> bytes:
    return bytes(byte not in signs for byte in range(256))


def end_with(cells: pa.Array, tails: pa.Array) -> np.ndarray:
    """Tell which cells end with the text that stands in the same row of another array."""
    length = lengths(tails)
    fits = lengths(cells) >= length
    ends = _offsets(cells)[1:]
    # The ends of the cells and what lies between them, in turn: nothing is copied to look there.
    borders = np.append(np.column_stack([ends - np.where(fits, length, 0), ends]), ends[-1:])
    held = [None, pa.py_buffer(borders), cells.buffers()[2]]
    split = pa.Array.from_buffers(pa.large_binary(), 2 * len(cells), held)
    found = split.take(pa.array(np.arange(0, 2 * len(cells), 2)))
    return np.asarray(pc.equal(found, tails.cast(pa.large_binary())))


def only(cells: pa.Array, mask: np.ndarray) -> pa.Array:
    """Return the cells, null where the mask does not hold; the text is not copied."""
    _, offsets, text = cells.buffers()
    bits = np.packbits(np.append(np.zeros(cells.offset, bool), mask), bitorder="little")
    held = [pa.py_buffer(bits.tobytes()), offsets, text]
    return pa.Array.from_buffers(cells.type, len(cells), held, offset=cells.offset)


def _offsets(cells: pa.Array) -> np.ndarray:
    if not len(cells):
        return np.zeros(1, np.int64)  # Arrow may hold none.
    held = np.frombuffer(cells.buffers()[1], np.int64)
    return held[cells.offset : cells.offset + len(cells) + 1]


def _text(cells: pa.Array) -> np.ndarray:
    held = cells.buffers()[2]
    return np.frombuffer(held if held is not None else b"", np.uint8)
