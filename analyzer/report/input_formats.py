"""Unpack a credential report from the form in which it was saved.

The forms are the console's CSV, the AWS CLI's JSON, the base64 inside that JSON, and each of them
as a shell or a spreadsheet saved it again. The bytes show the form; the file name does not count.
"""

import base64
import binascii
import gzip
import io
import json
import re
import zlib
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import IO, Any, Final, TypeAlias

from analyzer.errors import InputRefused, Problem
from analyzer.terms import printable, short_list

HEAD_BYTES: Final = 1 << 16
"""Bytes at the start of an input that show what it is."""


_CHUNK_BYTES: Final = 1 << 20
_MAX_INPUT_HINT: Final = (
    "Raise the limit with --max-input, or judge many large reports on Spark or Dask"
    " (samples/engines)."
)
_UNITS: Final = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_SIZE: Final = re.compile(r"([0-9]{1,15})\s*([KMGT]?)(i?B)?", re.IGNORECASE | re.ASCII)

GZIP = b"\x1f\x8b"
ZIP = (b"PK\x03\x04", b"PK\x05\x06")
"""The first bytes of a zip archive, and those of an empty one."""

UTF16 = (b"\xff\xfe", b"\xfe\xff")
UTF8_BOM = b"\xef\xbb\xbf"
_MOST_JSON_VALUES = 1_000_000
"""JSON with more lists and objects takes far more memory than its text, and is not a report."""

_BASE64 = re.compile(r"[A-Za-z0-9+/\s]++={0,2}\s*")
_MARKUP = re.compile(r"<(?!root_account>)[!?a-z]", re.IGNORECASE)
_YAML = re.compile(r"(---\s+)?(- )?(Content|GeneratedTime|ReportFormat):\s")
GENERATION_STATES: Final = ("STARTED", "INPROGRESS", "COMPLETE")
"""AWS's answers to a request to generate a report."""

_KINDS = {dict: "an object", list: "a list", bool: "true or false", type(None): "null"}
_HINT = (
    "Give the CSV from the console (IAM, Credential report, Download) or the output of"
    " `aws iam get-credential-report`."
)

NO_HEADER = "this is not a credential report: its first row names no column `user`"
RESULT = (
    "this is a result that credreport wrote, not a report",
    "Write results to another folder than the reports.",
)
_IS_MARKUP = "this is an HTML or XML page, perhaps an error message"

Unwrapped: TypeAlias = tuple[bytes, datetime | None]
"""A report's CSV as UTF-8 without a byte order mark, and its generation time, if known."""


# Sizes in bytes: archives and pipes can hold any number.


def size_in_bytes(text: str) -> int:
    """Return the number of bytes that `500MiB`, `2G` or `1000` names; raises ValueError."""
    match = _SIZE.fullmatch(text.strip())
    size = int(match[1]) * _UNITS[match[2].upper()] if match else 0
    if size < 1:
        raise ValueError(f'invalid size "{printable(text)}": use 500MiB or 2GiB')
    return size


def size_text(size: int) -> str:
    """Return a number of bytes in the largest unit that divides it."""
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if size and size % _UNITS[unit[0]] == 0:
            return f"{size // _UNITS[unit[0]]} {unit}"
    return f"{size} bytes"


MAX_INPUT: Final = 2 << 30
"""The most bytes of all inputs together by default, as read and unpacked."""


@dataclass(slots=True)
class InputLimit:
    """Count the bytes that are read and unpacked, of all inputs together."""

    most: int = MAX_INPUT
    count: int = 0

    def add(self, name: str, size: int) -> None:
        """Count more bytes of an input; raises InputRefused."""
        self.count += size
        if self.count > self.most:
            message = f"the inputs hold more than {size_text(self.most)} in all"
            raise InputRefused.of_file(name, message, _MAX_INPUT_HINT)


# The form of an input, by its bytes


def is_utf8_csv(head: bytes) -> bool:
    """Tell from its first bytes whether the input is already CSV in UTF-8."""
    wrapped = head.startswith((GZIP, *ZIP, *UTF16)) or b"\0" in head or head.lstrip()[:1] in b"{[<"
    text = head[:4096].lower()
    # The pattern alone tests every border of a word, which takes 0.1 ms if `arn` is missing.
    return not wrapped and b"arn" in text and re.search(rb"\barn\b", text) is not None


def _check_beginning(name: str, head: bytes) -> None:
    """Refuse an input whose first bytes show that it cannot be a report: no more of it is read."""
    if head.startswith(GZIP):
        unpacked = zlib.decompressobj(wbits=31)
        try:
            inner = unpacked.decompress(head, HEAD_BYTES)
        except zlib.error as error:
            raise _damaged_gzip(name, error) from None
        _refuse_gzip_in_gzip(name, inner)
        _check_beginning(name, inner)
    elif not (is_utf8_csv(head) or _may_wrap_report(head)):
        raise _refused_beginning(name, head)


def _may_wrap_report(head: bytes) -> bool:
    """Return whether the first bytes are those of JSON, base64 or UTF-16 with a report in it."""
    text = head.decode(_encoding(head), "replace").strip('\ufeff \t\r\n"')[:4096]
    if text.startswith(("{", "[")):
        return True
    if _BASE64.fullmatch(text):
        signs = "".join(text.split())[:1024]
        whole = signs[: len(signs) // 4 * 4]
        text = base64.b64decode(whole).decode(errors="replace")
    lower = text.lower()
    return any(re.search(rf"\b{name}\b", lower) for name in ("arn", "user") if name in lower)


def _is_tar(head: bytes) -> bool:
    return head[257:262] == b"ustar"


def _refused_beginning(name: str, head: bytes) -> InputRefused:
    """Return the refusal of an input by its first bytes, saying what it seems to be."""
    if head.startswith(ZIP):
        return _refused(name, "this is an Excel workbook or another zip file, not a report")
    if _is_tar(head):
        return _refused(name, "this is a tar archive", "Unpack it, or give a zip archive.")
    is_markup = _MARKUP.match(head.decode(_encoding(head), "ignore").lstrip())
    return _refused(name, _IS_MARKUP if is_markup else NO_HEADER)


def read_report_bytes(name: str, stream: IO[bytes] | io.BufferedIOBase, limit: InputLimit) -> bytes:
    """Return all bytes of an input that may hold a report; `limit` counts them.

    Raises InputRefused, and the errors of the stream.
    """
    chunk = b""  # A pipe may give too few bytes at a time to show what an input is.
    while len(chunk) < HEAD_BYTES and (more := stream.read(HEAD_BYTES - len(chunk))):
        chunk += more
    if len(chunk) == HEAD_BYTES:
        _check_beginning(name, chunk)
    content = io.BytesIO()
    while chunk:
        content.write(chunk)
        limit.add(name, len(chunk))
        chunk = stream.read(_CHUNK_BYTES)
    return content.getvalue()


def unwrapped_file(name: str, data: bytes, limit: InputLimit) -> Unwrapped:
    """Return the CSV within the bytes of one input; `limit` counts the unpacked bytes.

    Raises InputRefused if there is no CSV, saying what the input seems to be instead.
    """
    if is_utf8_csv(data[:HEAD_BYTES]):
        if not data.isascii():  # Arrow would write what it cannot decode to standard error.
            _decode(name, data)
        return data.removeprefix(UTF8_BOM), None
    if data.startswith(GZIP):
        return unwrapped_file(name, _gunzip(name, data, limit), limit)
    if data.startswith(ZIP) or _is_tar(data):
        raise _refused_beginning(name, data)
    return _unwrap_text(name, _decode(name, data))


def _unwrap_text(name: str, text: str) -> Unwrapped:
    stripped = text.strip()
    if not stripped:
        raise _refused(name, "the input is empty")
    if _MARKUP.match(stripped):
        raise _refused(name, _IS_MARKUP)
    if stripped[0] in "{[":
        return _from_json(name, stripped)
    if _YAML.match(stripped):
        hint = "Save its answer once more, with --output json."
        raise _refused(name, "this is the AWS CLI's answer in YAML, which is not read", hint)
    if stripped[0] == '"' and "," not in stripped and ";" not in stripped:
        stripped = stripped.strip('"')
    return _from_text_output(name, stripped) or (text.encode(), None)


def _from_text_output(name: str, text: str) -> Unwrapped | None:
    """Read `aws … --output text`: base64 alone, or base64, time and format between tabs."""
    content, *rest = text.split("\t")
    if _BASE64.fullmatch(content) is None or len(rest) not in (0, 2):
        return None
    report = _from_base64(name, content)
    return report, _generated_time(name, rest[0]) if rest else None


def _from_json(name: str, text: str) -> Unwrapped:
    envelope = _json(name, text)
    content = envelope.get("Content") if isinstance(envelope, dict) else None
    if not isinstance(content, str):
        raise _no_report_refusal(name, envelope)
    generated = envelope.get("GeneratedTime")
    moment = _generated_time(name, str(generated)) if generated is not None else None
    if _BASE64.fullmatch(content):
        return _from_base64(name, content), moment
    return content.encode(errors="surrogatepass"), moment


def _json(name: str, text: str) -> Any:
    if text.count("[") + text.count("{") > _MOST_JSON_VALUES:
        raise _refused(name, "this JSON is not an answer of AWS: it has too many values")
    try:
        return json.loads(text, object_pairs_hook=partial(_object, name))
    except (ValueError, RecursionError) as error:
        rest = text[error.pos :] if isinstance(error, json.JSONDecodeError) else ""
        if str(error).startswith("Extra data") and rest.startswith(("{", "[")):
            hint = "Give them one by one, each in a file of its own."
            raise _refused(name, "this is more than one JSON document", hint) from None
        hint = "The file is damaged or cut off: save the output of the AWS CLI once more."
        raise _refused(name, f"this is not valid JSON: {error}", hint) from None


def _object(name: str, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON; one that names a key twice could hold two reports."""
    twice = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]
    if twice:
        hint = "Save the output of the AWS CLI once more."
        raise _refused(name, f"this JSON names {short_list(twice)} twice", hint)
    return dict(pairs)


def _no_report_refusal(name: str, envelope: Any) -> InputRefused:
    """Return the refusal of JSON without the text of a report, saying what it holds instead."""
    if isinstance(envelope, dict) and envelope.get("State") in GENERATION_STATES:
        hint = "Wait some seconds, then save the output of `aws iam get-credential-report`."
        message = "this is the answer of generate-credential-report: the report is still being"
        return _refused(name, f"{message} generated", hint)
    if isinstance(envelope, dict) and "Content" in envelope:
        kind = _KINDS.get(type(envelope["Content"]), "a number")
        return _refused(name, f"the `Content` of this JSON holds {kind}, not a report")
    if isinstance(envelope, dict) and {"tool", "schema_version"} <= envelope.keys():
        return _refused(name, *RESULT)
    found = "it is a list, not one object with" if isinstance(envelope, list) else "it has no"
    return _refused(name, f"this JSON holds no credential report: {found} `Content`")


def _from_base64(name: str, content: str) -> bytes:
    try:
        data = base64.b64decode("".join(content.split()), validate=True)
        return data.removeprefix(UTF8_BOM).decode().encode()
    except (binascii.Error, UnicodeDecodeError):
        hint = f"If this is the content of an AWS answer, it is cut off or damaged. {_HINT}"
        raise _refused(name, "this is neither CSV nor whole base64", hint) from None


def _generated_time(name: str, text: str) -> datetime:
    from analyzer.report.values import timestamp  # noqa: PLC0415  not for --help

    moment = timestamp(text.strip())
    if moment is None:
        hint = "Use a time with its time zone, such as 2026-03-01T09:30:00Z."
        raise InputRefused([Problem(name, None, "GeneratedTime", text, "not understood", hint)])
    return moment


def _gunzip(name: str, data: bytes, limit: InputLimit) -> bytes:
    try:
        with gzip.open(io.BytesIO(data)) as stream:
            plain = read_report_bytes(name, stream, limit)
    except (OSError, EOFError, zlib.error) as error:
        raise _damaged_gzip(name, error) from None
    _refuse_gzip_in_gzip(name, plain)
    return plain


def _refuse_gzip_in_gzip(name: str, content: bytes) -> None:
    if content.startswith(GZIP):
        raise _refused(name, "a gzip file within a gzip file", "Unpack it first.")


def _damaged_gzip(name: str, error: Exception) -> InputRefused:
    hint = "Download or compress it again."
    return _refused(name, f"the gzip file is damaged: {error}", hint)


def _decode(name: str, data: bytes) -> str:
    """Return the text of an input, without a byte order mark."""
    data, encoding = data.removeprefix(UTF8_BOM), _encoding(data)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        row, value = place_of_bad_byte(data[: error.start].decode(encoding))
        raise InputRefused([not_text(name, row, value)]) from None


def place_of_bad_byte(before: str) -> tuple[int, str]:
    """Return the row of a byte that is not text and an excerpt of the row, by the text before."""
    return before.count("\n") + 1, before.rpartition("\n")[2][-10:] + "\ufffd"


def _encoding(data: bytes) -> str:
    """Tell UTF-8 and UTF-16 apart by the byte order mark, or else by the NULs."""
    if data.startswith(UTF16):
        return "utf-16"
    even, odd = data[:64:2], data[1:64:2]
    for nuls, encoding in ((odd, "utf-16-le"), (even, "utf-16-be")):
        if nuls.count(0) > len(nuls) // 2:
            return encoding
    return "utf-8"


def not_text(name: str, row: int, value: str) -> Problem:
    """Return the problem of an input with a row that is not text."""
    hint = f"Not a text file, cut off, or in an old code page: save it as UTF-8. {_HINT}"
    return Problem(name, row, None, value, "not UTF-8 text", hint)


def _refused(name: str, message: str, hint: str = _HINT) -> InputRefused:
    return InputRefused.of_file(name, message, hint)
