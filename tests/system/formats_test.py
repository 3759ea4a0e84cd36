"""A reader of the files on disk, written from docs/FORMATS.md alone, against the server's own answer.

Python's standard library, and libzstd and liblz4 by ctypes. Nothing here looks at the sources.
"""

import ctypes
import ctypes.util
import json
import math
import random
import sqlite3
import struct
import subprocess
import unittest

import _sonde

MASK = (1 << 64) - 1


# ---- numbers, "Chunk codec" ----

def crc_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82f63b78 if byte & 1 else 0)
        table.append(byte)
    return table


CRC_TABLE = crc_table()


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc = CRC_TABLE[(crc ^ byte) & 0xff] ^ (crc >> 8)
    return crc ^ 0xffffffff


def signed(number):
    number &= MASK
    return number - (1 << 64) if number >> 63 else number


def unzigzag(code):
    return (code >> 1) ^ -(code & 1)


class Bytes:
    """A cursor over bytes."""

    def __init__(self, data, at=0):
        self.data = data
        self.at = at

    def left(self):
        return len(self.data) - self.at

    def take(self, count):
        assert 0 <= count <= self.left(), "ends early"
        self.at += count
        return self.data[self.at - count:self.at]

    def unpack(self, layout):
        return struct.unpack("<" + layout, self.take(struct.calcsize("<" + layout)))

    def one(self, layout):
        return self.unpack(layout)[0]

    def varint(self):
        number = shift = 0
        while True:
            byte = self.one("B")
            number |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                assert number <= MASK
                return number

    def svarint(self):
        return unzigzag(self.varint())


def read_mini_block(data, count):
    head = data.one("B")
    width = head & 0x7f
    patches = data.one("B") if head & 0x80 else 0
    packed = int.from_bytes(data.take((width * count + 7) // 8), "little")
    residuals = [(packed >> (width * i)) & ((1 << width) - 1) for i in range(count)]
    positions = data.take(patches)
    for position in positions:
        residuals[position] += data.varint() << width
    return residuals


def read_residuals(data, count):
    residuals = []
    while len(residuals) < count:
        residuals += read_mini_block(data, min(128, count - len(residuals)))
    return residuals


def integers_of_kind(data, kind, scaled, count):
    first = 0 if scaled or kind == 2 else data.svarint()
    base = data.svarint() if kind in (1, 2, 3, 5) else 0
    if kind == 0:
        return [first] * count
    if kind == 1:
        return [first + i * base for i in range(count)]
    if kind == 2:
        return [base + r for r in read_residuals(data, count)]
    values = [first]
    if kind == 5:
        delta = base
        values.append(first + delta)
        for r in read_residuals(data, count - 2):
            delta += unzigzag(r)
            values.append(values[-1] + delta)
        return values
    for r in read_residuals(data, count - 1):
        values.append(values[-1] + (base + r if kind == 3 else unzigzag(r)))
    return values


def read_integers(data, count):
    kind = data.one("B")
    scaled = kind & 8
    divisor, origin = (data.varint(), data.svarint()) if scaled else (1, 0)
    values = integers_of_kind(data, kind & 7, scaled, count)
    return [signed(value * divisor + origin) for value in values]


def double_of_ordered(number):
    bits = number & MASK
    if number < 0:
        bits ^= (1 << 63) - 1
    return struct.unpack("<d", struct.pack("<Q", bits))[0]


def read_values(data, count):
    form = data.one("B")
    if form == 0x3f:
        return [data.one("d")] * count
    has_exceptions = form & 0x40
    form &= ~0x40
    integers = read_integers(data, count)
    if form == 0x3e:
        values = [double_of_ordered(number) for number in integers]
    elif form < 0x20:
        values = [float(number) / 10.0 ** form for number in integers]
    else:
        values = [float(number) * float(f"1e-{form - 0x20}") for number in integers]
    if has_exceptions:
        position = 0
        value = None
        for _ in range(data.varint()):
            tag = data.varint()
            position += tag >> 1
            if not tag & 1:
                value = data.one("d")
            values[position] = value
    return values


# ---- compression ----

def library(name):
    found = ctypes.util.find_library(name)
    return ctypes.CDLL(found) if found else None


ZSTD = library("zstd")
LZ4 = library("lz4")


def unzstd(data, size=None):
    if size is None:
        ZSTD.ZSTD_getFrameContentSize.restype = ctypes.c_ulonglong
        size = ZSTD.ZSTD_getFrameContentSize(data, ctypes.c_size_t(len(data)))
    out = ctypes.create_string_buffer(size)
    ZSTD.ZSTD_decompress.restype = ctypes.c_size_t
    got = ZSTD.ZSTD_decompress(out, ctypes.c_size_t(size), data, ctypes.c_size_t(len(data)))
    assert got == size, "the frame has another size"
    return out.raw


def unlz4(data, size):
    out = ctypes.create_string_buffer(size)
    got = LZ4.LZ4_decompress_safe(data, out, len(data), size)
    assert got == size, "the block has another size"
    return out.raw


# ---- series ----

def read_labels(data):
    labels = []
    for _ in range(data.one("B")):
        name = data.take(data.one("H")).decode()
        labels.append((name, data.take(data.one("H")).decode()))
    assert labels == sorted(labels)
    return tuple(labels)


# ---- "Log" ----

def check_header(data, magic):
    header = data.take(16)
    assert header[:8] == magic
    version, crc = struct.unpack("<II", header[8:])
    assert crc == crc32c(header[:12])
    return version


class Log:
    """All samples of a log file: {series: {time: (value, start)}}."""

    def __init__(self, data, series):
        self.series = series
        self.samples = {}
        self.starts = {}
        data = Bytes(data)
        assert check_header(data, b"SNDELOG\n") == 2
        while data.left():
            length, crc = data.unpack("II")
            typed = data.take(1 + length)
            assert crc == crc32c(typed), "a record fails its checksum"
            self.take_record(typed[0], Bytes(typed, 1))

    def take_record(self, kind, data):
        if kind == 1:
            first, count = data.unpack("II")
            for number in range(first, first + count):
                labels = Bytes(data.take(data.one("H")))
                self.series[number] = read_labels(labels)
                assert labels.left() == 0
        elif kind == 2:
            self.take_samples(data)
        else:
            assert kind in (3, 4, 5), kind
            return
        assert data.left() == 0

    def take_samples(self, data):
        flags = data.one("B")
        count = data.varint()
        size = data.varint()
        rest = data.take(data.left())
        columns = Bytes(unzstd(rest, size) if flags & 1 else rest)
        numbers, times, starts = [], [], {}
        for column in (numbers, times):
            last = 0
            for _ in range(count):
                last += columns.svarint()
                column.append(last)
        if flags & 2:
            at = start = 0
            for _ in range(columns.varint()):
                at += columns.varint()
                start += columns.svarint()
                starts[at] = start
        for i, number in enumerate(numbers):
            assert number in self.series
            if i in starts:
                self.starts[number] = starts[i]
            value = columns.one("d")
            self.samples.setdefault(number, {})[times[i]] = (value, self.starts.get(number, 0))
        assert columns.left() == 0


# ---- "Segment" ----

def read_starts(data, count, runs, last):
    starts = []
    for run in range(runs):
        length = data.varint() if run < runs - 1 else count - len(starts)
        last += data.svarint()
        starts += [last] * length
    assert len(starts) == count
    return starts, last


def read_pack(data):
    """[(series, is histogram, times, values, starts)]"""
    crc, body_size, size, encoding, layout, zero = struct.unpack("<IIIBBH", data[:16])
    assert crc == crc32c(data[4:]) and zero == 0 and layout == 1
    assert body_size == len(data) - 16
    content = Bytes(unlz4(data[16:], size) if encoding else data[16:])
    chunk_count, block_count = content.varint(), content.varint()
    blocks = [(content.varint(), content.varint()) for _ in range(block_count)]
    chunks = []
    number = 0
    for _ in range(chunk_count):
        number += content.svarint()
        block = content.varint()
        size = content.varint()
        runs = content.varint() if block & 1 else 0
        chunks.append((number, block >> 2, block & 2, size, runs))
    all_starts = []
    last = 0
    for _, block, _, _, runs in chunks:
        starts = [0] * blocks[block][0]
        if runs:
            starts, last = read_starts(content, blocks[block][0], runs, last)
        all_starts.append(starts)
    times = [read_integers(Bytes(content.take(size)), count) for count, size in blocks]
    found = []
    for (number, block, is_histogram, size, _), starts in zip(chunks, all_starts):
        bytes_ = content.take(size)
        values = None if is_histogram else read_values(Bytes(bytes_), blocks[block][0])
        found.append((number, bool(is_histogram), times[block], values, starts))
    assert content.left() == 0
    return found


def read_series_list(data, count):
    assert struct.unpack("<I", data[:4])[0] == crc32c(data[4:])
    runs = Bytes(data, 4)
    numbers = []
    at = 0
    while runs.left():
        at += runs.varint()
        length = runs.varint() + 1
        numbers += range(at, at + length)
        at += length
    assert len(numbers) == count
    return numbers


def read_segment(data, series, row):
    """{series: {time: (value, start)}} of the floats."""
    assert check_header(Bytes(data), b"SNDESEG\n") == 3
    footer = data[-80:]
    assert footer[:8] == b"SNDEEND\n"
    number, directory, packs, series_count, chunks, samples, first, last, crc, own = \
        struct.unpack("<QQQQQQqqII", footer[8:])
    assert own == crc32c(footer[:76])
    assert (number, len(data), series_count, samples, first, last) == row
    entries = data[directory:directory + 32 * packs]
    assert crc == crc32c(entries)
    listed = read_series_list(data[directory + 32 * packs:-80], series_count)
    found = {}
    seen_chunks = seen_samples = 0
    at = 16
    order = []
    for i in range(packs):
        offset, length, first_series, time_min, time_max = \
            struct.unpack("<QIIqq", entries[32 * i:32 * i + 32])
        length &= 0x7fffffff
        assert offset == at
        at += length
        pack = read_pack(data[offset:at])
        assert pack[0][0] == first_series
        assert min(chunk[2][0] for chunk in pack) == time_min
        assert max(chunk[2][-1] for chunk in pack) == time_max
        for series_number, is_histogram, times, values, starts in pack:
            seen_chunks += 1
            seen_samples += len(times)
            assert times == sorted(set(times))
            if not order or order[-1] != series_number:
                order.append(series_number)
            if not is_histogram:
                found.setdefault(series_number, {}).update(
                    zip(times, zip(values, starts)))
    assert at == directory and (seen_chunks, seen_samples) == (chunks, samples)
    assert sorted(order) == listed
    keys = [(dict(series[number]).get("__name__", ""), series[number]) for number in order]
    assert keys == sorted(keys), "metric order"
    return found


# ---- the test ----

GO_NAN = struct.pack("<Q", 0x7ff8000000000001)  # what a text "NaN" becomes


def bits(value):
    return struct.pack("<d", value)


def value_of(text):
    if isinstance(text, str):
        if text == "stale":
            return struct.unpack("<d", struct.pack("<Q", 0x7ff0000000000002))[0]
        if text.startswith("nan:"):
            return struct.unpack("<d", struct.pack("<Q", int(text[4:], 16)))[0]
        if text == "NaN":
            return struct.unpack("<d", struct.pack("<Q", 0x7ff8000000000001))[0]
        return float(text)
    return float(text)


class Formats(unittest.TestCase):
    def answer(self, *where):
        """What the program says: {labels: {time: (bits, start)}}."""
        process = subprocess.run([_sonde.BINARY, "export", "-q", "--match", "t", *map(str, where)],
                                 text=True, capture_output=True, timeout=120, check=True)
        found = {}
        for line in process.stdout.splitlines():
            entry = json.loads(line, parse_int=lambda text: -0.0 if text == "-0" else int(text))
            labels = tuple(sorted(entry["metric"].items()))
            starts = entry.get("starts") or [0] * len(entry["values"])
            found.setdefault(labels, {}).update(
                (time, (bits(value_of(value)), start))
                for time, value, start in zip(entry["timestamps"], entry["values"], starts))
        return found

    def assert_same(self, found, wanted):
        """As assertEqual, which takes minutes to print a difference of megabytes."""
        self.assertEqual(set(found), set(wanted))
        for labels, by_time in wanted.items():
            for time, value in by_time.items():
                self.assertEqual(found[labels].get(time), value, (labels, time))
            self.assertEqual(len(found[labels]), len(by_time), labels)

    def ours(self, samples, series):
        return {series[number]: {time: (bits(value), start)
                                 for time, (value, start) in by_time.items()}
                for number, by_time in samples.items() if ("__name__", "t") in series[number]}

    def make_samples(self, now_ms):
        """Series of every kind of block: constants, lines, decimals, noise, huge, special, gaps."""
        rng = random.Random(7)
        shapes = {
            "constant": lambda i: 42.5,
            "line": lambda i: i * 3.0,
            "tenths": lambda i: rng.randrange(1000) / 10,
            "noise": lambda i: rng.random(),
            "huge": lambda i: float(rng.randrange(1 << 50)) * 1024.0,
            "tiny": lambda i: rng.randrange(1, 99) * 1e-12,
            "counter": lambda i: float(i * i),
            "special": lambda i: [math.inf, -math.inf, -0.0, math.nan, 5e-324, 1e300][i % 6],
            "spikes": lambda i: 1e9 if i % 97 == 0 else float(i % 3),
        }
        for name, shape in shapes.items():
            for n in range(3):
                times = [now_ms - (700 - i) * 1000 + (rng.randrange(300) if n == 1 else 0)
                         for i in range(700) if n != 2 or i % 7]
                yield {"__name__": "t", "shape": name, "n": str(n), "text": 'ä"\\\n'}, \
                    [(time, shape(i)) for i, time in enumerate(times)]

    def test_a_reader_from_the_document_reads_log_and_segments(self):
        server = _sonde.Server(self, config="collect:\n  interval: 1h\n").start()
        now_ms = _sonde.now_ms()
        pushed = {}
        text = []
        for labels, samples in self.make_samples(now_ms):
            key = tuple(sorted(labels.items()))
            pushed[key] = {time: GO_NAN if math.isnan(value) else bits(value)
                           for time, value in samples}
            escaped = ",".join(f'{k}="{v}"' for k, v in
                               ((k, v.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n"))
                                for k, v in labels.items() if k != "__name__"))
            text += [f"t{{{escaped}}} {value!r} {time}\n".replace("inf", "Inf").replace("nan", "NaN")
                     for time, value in samples]
        for at in range(0, len(text), 5000):
            self.assertEqual(server.push("".join(text[at:at + 5000])).status, 200)
        server.kill()

        # The log, as the crash left it.
        series = {}
        logs = sorted((server.data / "wal").glob("*.log"))
        self.assertGreaterEqual(len(logs), 1)
        from_log = {}
        for log in logs:
            for number, by_time in Log(log.read_bytes(), series).samples.items():
                from_log.setdefault(number, {}).update(by_time)
        found = self.ours(from_log, series)
        self.assert_same({key: {time: value for time, (value, _) in by_time.items()}
                          for key, by_time in found.items()}, pushed)

        # The same from segments, after a restart, and what the program answers.
        wanted = self.answer("--data", server.data)
        self.assert_same(found, wanted)
        database = sqlite3.connect(server.data / "sonde.db")
        catalogue = {}
        for first, count, block in database.execute(
                "SELECT first_id, count, labels FROM series_block ORDER BY first_id"):
            self.assertEqual(first, len(catalogue))
            labels = Bytes(unzstd(block))
            for number in range(first, first + count):
                catalogue[number] = read_labels(Bytes(labels.take(labels.one("H"))))
            self.assertEqual(labels.left(), 0)
        self.assertEqual({n: catalogue[n] for n in series}, series)
        merged = {}
        for number, *row in database.execute(
                "SELECT id, bytes, series_count, sample_count, time_min_ms, time_max_ms"
                " FROM segment ORDER BY rank"):
            file = (server.data / "seg" / f"{number:08}.seg").read_bytes()
            for key, by_time in read_segment(file, catalogue, (number, *row)).items():
                merged.setdefault(key, {}).update(by_time)
        database.close()
        self.assert_same(self.ours(merged, catalogue), wanted)
        self.assertEqual(sum(map(len, wanted.values())), len(text))


if __name__ == "__main__":
    if ZSTD is None or LZ4 is None:
        print("no libzstd or liblz4")
        raise SystemExit(77)
    _sonde.main()
