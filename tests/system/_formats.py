"""A reader of the files on disk, written from docs/FORMATS.md alone. Nothing here looks at the sources.

Python's standard library, and libzstd and liblz4 by ctypes.
"""

import ctypes
import ctypes.util
import struct
from collections import namedtuple

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


# ---- "Histogram block", "Rollup block" ----

Histogram = namedtuple("Histogram", "schema hint zero_threshold count zero_count sum positive_spans"
                                    " positive_counts negative_spans negative_counts bounds")


def read_spans(data):
    return [(data.svarint(), data.varint()) for _ in range(data.varint())]


def read_histograms(data, count):
    found = []
    while len(found) < count:
        run = data.varint()
        schema, hint, threshold = data.svarint(), data.one("B"), data.one("d")
        sides = [read_spans(data), read_spans(data)]
        bounds = [data.one("d") for _ in range(data.varint())]
        buckets = [sum(length for _, length in spans) for spans in sides]
        columns = [read_values(data, run) for _ in range(3 + sum(buckets))]
        for total, zeros, total_sum, *counts in zip(*columns):
            found.append(Histogram(schema, hint, threshold, total, zeros, total_sum,
                                   sides[0], counts[:buckets[0]], sides[1], counts[buckets[0]:],
                                   bounds))
    assert len(found) == count
    return found


Rollup = namedtuple("Rollup", "count first_ms last_ms first last sum min max falls"
                              " is_stale_end has_start")


def read_rollups(data, ends):
    count = len(ends)
    flags = data.one("B")
    assert flags < 32
    counts, first_ages, last_ages = (read_integers(data, count) for _ in range(3))
    firsts, lasts, sums = (read_values(data, count) for _ in range(3))
    minima = firsts if flags & 1 else read_values(data, count)
    maxima = lasts if flags & 2 else read_values(data, count)
    falls = [0.0] * count if flags & 4 else read_values(data, count)
    marks = [data.take((count + 7) // 8) if flags & bit else bytes((count + 7) // 8)
             for bit in (8, 16)]
    return [Rollup(counts[i], ends[i] - first_ages[i], ends[i] - last_ages[i], firsts[i], lasts[i],
                   sums[i], minima[i], maxima[i], falls[i],
                   *(bool(mark[i // 8] >> (i % 8) & 1) for mark in marks))
            for i in range(count)]


# ---- "Log" ----

def check_header(data, magic):
    header = data.take(16)
    assert header[:8] == magic
    version, crc = struct.unpack("<II", header[8:])
    assert crc == crc32c(header[:12])
    return version


def read_items(data):
    """The items of a record of type 4 or 5."""
    encoding = data.one("B")
    size = data.varint()
    rest = data.take(data.left())
    assert encoding <= 1
    items = Bytes(unzstd(rest, size) if encoding else rest)
    assert items.left() == size
    return items


class Log:
    """What a log file has: samples and histograms as {series: {time: (value, start)}}, and exemplars as
    {series: [(time, value, labels)]}."""

    def __init__(self, data, series):
        self.prepare(series)
        data = Bytes(data)
        assert check_header(data, b"SNDELOG\n") == 2
        self.take_records(data)

    def prepare(self, series):
        self.series = series
        self.samples = {}
        self.histograms = {}
        self.exemplars = {}
        self.starts = {}

    def take_records(self, data):
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
        elif kind == 4:
            self.take_histograms(read_items(data))
        elif kind == 5:
            self.take_exemplars(read_items(data))
        else:
            assert kind == 3, kind
            return
        assert data.left() == 0

    def take_histograms(self, items):
        while items.left():
            number, time, start, size = (items.varint() for _ in range(4))
            block = Bytes(items.take(size))
            self.histograms.setdefault(number, {})[time] = (read_histograms(block, 1)[0], start)
            assert block.left() == 0

    def take_exemplars(self, items):
        while items.left():
            number, time, value = items.varint(), items.varint(), items.one("d")
            labels = Bytes(items.take(items.varint()))
            self.exemplars.setdefault(number, []).append((time, value, read_labels(labels)))
            assert labels.left() == 0

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


def unpack_content(data):
    """Content, encoding and layout of a pack."""
    crc, body_size, size, encoding, layout, zero = struct.unpack("<IIIBBH", data[:16])
    assert crc == crc32c(data[4:]) and zero == 0 and layout in (1, 2)
    body = data[16:]
    assert body_size == len(body)
    if encoding == 1:
        body = unlz4(body, size)
    elif encoding == 2:
        body = unzstd(body, size)
    assert encoding <= 2 and len(body) == size
    return Bytes(body), encoding, layout


def read_chunk(data, kind, times):
    if kind == "rollup":
        return read_rollups(data, times)
    return read_histograms(data, len(times)) if kind == "histogram" else read_values(data, len(times))


def read_pack(data):
    """Encoding, and [(series, kind, times, values, starts)]; kind is float, histogram or rollup."""
    content, encoding, layout = unpack_content(data)
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
        kind = "rollup" if layout == 2 else "histogram" if is_histogram else "float"
        block_bytes = Bytes(content.take(size))
        values = read_chunk(block_bytes, kind, times[block])
        assert block_bytes.left() == 0
        found.append((number, kind, times[block], values, starts))
    assert content.left() == 0
    return encoding, found


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
    """{kind: {series: {time: (value, start)}}}, and the encodings of its packs."""
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
    found = {"float": {}, "histogram": {}, "rollup": {}}
    encodings = set()
    seen_chunks = seen_samples = 0
    at = 16
    order = []
    for i in range(packs):
        offset, length, first_series, time_min, time_max = \
            struct.unpack("<QIIqq", entries[32 * i:32 * i + 32])
        has_histograms = bool(length >> 31)
        length &= 0x7fffffff
        assert offset == at
        at += length
        encoding, pack = read_pack(data[offset:at])
        encodings.add(encoding)
        assert has_histograms == any(chunk[1] == "histogram" for chunk in pack)
        assert pack[0][0] == first_series
        assert min(chunk[2][0] for chunk in pack) == time_min
        assert max(chunk[2][-1] for chunk in pack) == time_max
        for series_number, kind, times, values, starts in pack:
            seen_chunks += 1
            seen_samples += len(times)
            assert times == sorted(set(times))
            if not order or order[-1] != series_number:
                order.append(series_number)
            found[kind].setdefault(series_number, {}).update(zip(times, zip(values, starts)))
    assert at == directory and (seen_chunks, seen_samples) == (chunks, samples)
    assert sorted(order) == listed
    keys = [(dict(series[number]).get("__name__", ""), series[number]) for number in order]
    assert keys == sorted(keys), "metric order"
    return found, encodings


# ---- "SQLite tables of the store" ----

def read_catalogue(database):
    """{series: labels}"""
    catalogue = {}
    for first, count, block in database.execute(
            "SELECT first_id, count, labels FROM series_block ORDER BY first_id"):
        labels = Bytes(unzstd(block))
        for number in range(first, first + count):
            one = Bytes(labels.take(labels.one("H")))
            if one.left():
                catalogue[number] = read_labels(one)
        assert labels.left() == 0
    return catalogue


def read_files(data, database, catalogue, table="segment", count="sample_count", where="1"):
    """All files of a table: {kind: {series: {time: (value, start)}}}, later ones win, and encodings."""
    found = {"float": {}, "histogram": {}, "rollup": {}}
    encodings = set()
    for number, *row in database.execute(
            f"SELECT id, bytes, series_count, {count}, time_min_ms, time_max_ms FROM {table}"
            f" WHERE bytes > 0 AND {where} ORDER BY rank"):
        file = (data / "seg" / f"{number:08}.seg").read_bytes()
        kinds, used = read_segment(file, catalogue, (number, *row))
        encodings |= used
        for kind, all_series in kinds.items():
            for key, by_time in all_series.items():
                found[kind].setdefault(key, {}).update(by_time)
    return found, encodings


def read_exemplars(database, catalogue):
    """{series: [(time, value, labels)]}"""
    log = Log.__new__(Log)
    log.prepare(catalogue)
    for (records,) in database.execute("SELECT records FROM exemplar ORDER BY id"):
        log.take_records(Bytes(records))
    return log.exemplars
