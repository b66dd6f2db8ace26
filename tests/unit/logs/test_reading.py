"""The lines of files: compressed, damaged, full of NULs, cut into pieces."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import random
import tarfile
import zipfile
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventtracking_core.encoding import decode_json, encode_json
from eventtracking_core.logs import MAX_LINE, Rejected, UnreadableInputError, entries, parse_line
from eventtracking_core.testing.hostile import VALUES

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


def _zstd(content):
    import zstandard

    return zstandard.compress(content)


COMPRESS = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": _zstd,
}
COMPRESSED = [
    pytest.param(compress, id=name, marks=[pytest.mark.native] if name == "zstd" else [])
    for name, compress in COMPRESS.items()
]


def lines(number, start=0):
    rnd = random.Random(1)
    noise = [f"{rnd.getrandbits(128):032x}" for _ in range(start + number)]
    return [
        json.dumps({"name": f"e{i}", "time": "2026-09-12T12:55:00Z", "event": {"x": noise[i]}})
        for i in range(start, start + number)
    ]


def text(number, start=0):
    return ("\n".join(lines(number, start)) + "\n").encode()


@pytest.fixture
def read(tmp_path):
    """Return the names of a file's events; None stands for what was rejected, or for damage."""

    def read(content):
        path = tmp_path / "some.log"
        path.write_bytes(content)
        names = []
        try:
            for _, entry in entries(path):
                names.append(None if isinstance(entry, Rejected) else entry["name"])
        except UnreadableInputError:
            names.append(None)
        return names

    return read


def named(number, start=0):
    return [f"e{i}" for i in range(start, start + number)]


@pytest.mark.parametrize("compress", COMPRESSED)
def test_all_members_of_a_compressed_file_are_read(read, compress):
    packed = compress(text(300)) + compress(b"") + compress(text(300, 300))
    assert read(packed) == named(600)


@pytest.mark.parametrize("form", ["gzip", "bzip2", "xz"])
def test_members_may_be_padded_with_nuls(read, form):
    compress = COMPRESS[form]
    padding = b"\0" * 5000
    assert read(compress(text(3)) + padding + compress(text(3, 3)) + padding) == named(6)


@pytest.mark.parametrize("share", [0.99, 0.9, 0.5, 0.1])
@pytest.mark.parametrize("compress", COMPRESSED)
def test_whole_lines_before_the_end_of_a_file_that_is_cut_off_are_read(read, compress, share):
    # Blocks of which nothing can be told before they are whole, in members of their own.
    members = [compress(text(100, start)) for start in range(0, 2000, 100)]
    ends = list(accumulate(map(len, members)))
    cut = int(ends[-1] * share)
    names = read(b"".join(members)[:cut])
    whole = sum(end <= cut for end in ends)
    assert names[-1] is None
    assert names[:-1] == named(len(names) - 1)
    assert len(names) - 1 >= 100 * whole


def test_every_whole_line_before_the_cut_of_a_gzip_file_is_read(read):
    names = read(gzip.compress(text(3000))[: -len(gzip.compress(text(300)))])
    assert len(names) > 2500
    assert names == [*named(len(names) - 1), None]


def test_lines_before_a_damaged_place_of_a_gzip_file_are_read(read):
    packed = bytearray(gzip.compress(text(3000)))
    packed[len(packed) * 9 // 10] ^= 0x55
    names = read(bytes(packed))
    assert names[:2600] == named(2600)
    assert names[-1] is None


@pytest.mark.parametrize("compress", COMPRESSED)
def test_what_follows_a_compressed_file_and_is_not_compressed_is_damage(read, compress):
    assert read(compress(text(5)) + b"a trailing line\n") == [*named(5), None]


def a_zip():
    with io.BytesIO() as file:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("a.log", text(5))
        return file.getvalue()


def a_tar():
    with io.BytesIO() as file:
        with tarfile.open(fileobj=file, mode="w") as archive:
            archive.addfile(tarfile.TarInfo("a.log"))
        return file.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (a_zip(), "a zip archive: unpack it"),
        (a_tar(), "a tar archive: unpack it"),
        (gzip.compress(a_tar()), "a tar archive: unpack it"),
        (b"\x04\x22\x4d\x18 and so on", "compressed with lz4"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
        (b"PAR1", "a Parquet file"),
        (b"SQLite format 3\0", "an SQLite database"),
        ("n".encode("utf-16"), "UTF-16 text: convert it to UTF-8"),
        (lzma.compress(b"a", lzma.FORMAT_ALONE), "compressed with lzma"),
    ],
    ids=["zip", "tar", "tar.gz", "lz4", "7z", "parquet", "sqlite", "utf-16", "lzma"],
)
def test_a_format_that_is_not_read_is_refused_by_its_name(tmp_path, content, reason):
    path = tmp_path / "some.log"
    path.write_bytes(content)
    with pytest.raises(UnreadableInputError) as refused:
        list(entries(path))
    assert f"{path}: the file is {reason}" in str(refused.value)


@pytest.mark.once
@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 5000, MAX_LINE - 10, MAX_LINE + 10, 2 * MAX_LINE])
def test_a_hole_of_nuls_takes_no_line_along(read, size):
    hole = b"\0" * size
    assert read(hole + text(2)) == named(2)
    torn = lines(1)[0][:-10].encode()
    assert read(torn + hole + text(2) + hole) == [None, *named(2)]


def test_a_line_that_is_too_long_is_rejected_and_the_next_one_read(read):
    assert read(b"x" * (MAX_LINE * 2) + b"\n" + text(2)) == [None, *named(2)]
    assert read(b"x" * (MAX_LINE * 2) + b"\0" + text(1) + text(2)) == [None, *named(2)]


def test_what_is_added_while_a_file_is_read_is_left_for_the_next_time(tmp_path):
    path = tmp_path / "some.log"
    path.write_bytes(text(3))
    with path.open("ab", buffering=0) as file:
        for _, _event in entries(path):
            file.write(text(1))
    assert len(path.read_bytes().splitlines()) == 6


def docker(piece, stream="stderr"):
    return json.dumps({"log": piece, "stream": stream, "time": "2026-09-12T12:55:00Z"}) + "\n"


def test_a_line_that_docker_cut_into_pieces_is_joined_again(read):
    first, second = lines(2)
    pieces = docker(first[:20]) + docker("other\n", "stdout") + docker(first[20:70])
    content = pieces + docker(first[70:] + "\n") + docker(second + "\n")
    assert read(content.encode()) == [None, *named(2)]
    assert read(docker(first[:20]).encode()) == [None]
    assert read(docker(first).encode()) == named(1)


def test_a_line_that_containerd_cut_into_pieces_is_joined_again(read):
    head = "2026-09-12T12:55:00.123456789Z stdout"
    line = lines(1)[0]
    assert read(
        f"{head} P {line[:30]}\n{head} P {line[30:60]}\n{head} F {line[60:]}\n".encode()
    ) == (named(1))


def test_pieces_never_grow_beyond_the_longest_line(read):
    piece = docker("x" * (MAX_LINE // 2 - 100))
    assert read((piece * 5 + docker("\n") + "\n").encode() + text(1)) == [None, None, "e0"]


def an_event(**fields):
    fields = {"context": {}, "data": {}, **fields}
    return {"id": "i", "name": "n", "timestamp": "2026-09-12T12:55:00Z", **fields}


@pytest.mark.once
@pytest.mark.slow
@pytest.mark.parametrize(
    "data",
    [
        {f"{i}".ljust(2000, "\x01"): "\x01" * 2000 for i in range(20_000)},
        {f"{i}": 10**4290 for i in range(300)},
        {f"{i}": "\x7f" * (1 << 18) for i in range(60)},
        {"\U0010ffff" * i: ["\u2028" * i] * 3 for i in range(1100)},
    ],
    ids=["keys", "numbers", "texts", "both"],
)
def test_the_longest_line_that_is_written_is_read(data):
    line = encode_json(decode_json(encode_json(an_event(data=data))))
    assert len(line) <= MAX_LINE
    [read] = parse_line(line)
    assert read == decode_json(line)


@pytest.mark.parametrize("kind", [*VALUES])
def test_whatever_is_written_is_read_as_it_was_written(kind):
    event = an_event(data={"value": VALUES[kind]()}, context={"value": [VALUES[kind]()]})
    line = encode_json(event)
    [read] = parse_line(line + b"\n")
    written = decode_json(line)
    assert (read["data"], read["context"]["value"]) == (
        written["data"],
        written["context"]["value"],
    )


@pytest.mark.slow
@given(name=st.text(min_size=1), data=st.dictionaries(st.text(), JSON, max_size=5))
def test_any_text_that_is_written_is_read_as_it_was_written(name, data):
    line = encode_json(an_event(name=name, data=data, context=data))
    assert parse_line(line) == [decode_json(line)]
