"""The index of live volumes gives exactly what a plain scan of all rows gives."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detente.airspace.altitude import DATUMS
from detente.conflict import volumeindex
from detente.conflict.pair import END, START, near_rows
from detente.conflict.strategic import DatumBounds, Minima, Rules
from detente.conflict.volumeindex import VolumeIndex, bands_msl, shifts_of

RULES = [
    Rules(),
    Rules(Minima(10**8, 10**7, 10**9)),
    Rules(Minima(10**6, 1, 1), DatumBounds(cold_permille=0, geoid_min_tenth_mm=-5)),
]


@pytest.fixture(params=["compiled", "numpy"])
def _path(request, monkeypatch):
    monkeypatch.setattr(volumeindex, "COMPILED_FROM", 0 if request.param == "compiled" else 10**9)


def some_rows(draw, count):
    """Rows of boxes of very different sizes; ends often equal, some at the ends of every range."""
    rows = np.zeros((count, 12), dtype=np.int64)
    for row in rows:
        size = 10 ** draw.randint(0, 10)
        row[0] = draw.choice([-(10**17), 0, 16 * 10**14, 16 * 10**14 + 2**40, 25 * 10**16])
        row[0] += draw.randrange(4) << draw.choice([0, 20, 33])
        row[1] = row[0] + draw.choice([1, 2**20, 10**9, 10**13])
        for k in range(3):
            row[2 + k] = draw.choice([-6, 0, 3]) * 10**10 + draw.randrange(4) * size
            row[5 + k] = row[2 + k] + draw.randrange(3) * size
        row[8] = draw.randrange(-5, 40) * 3_048_000
        row[10] = row[8] + draw.randrange(1, 20) * 3_048_000
        row[9], row[11] = draw.randrange(4), draw.randrange(4)
    return rows


def plain(rows, kinds, alive, row, kind, rules):
    """All rows that are near one, by the rule itself."""
    shifts = shifts_of(rules.bounds)
    msl = bands_msl(rows, shifts)
    near = near_rows(row, bands_msl(row.reshape(1, -1), shifts)[0], rows, msl, rules)
    return [int(k) for k in near if alive[k] and kinds[k] == kind]


@pytest.mark.usefixtures("_path")
@given(st.integers(0, 2**31))
@settings(max_examples=12, deadline=None)
def test_near_after_random_additions_and_removals_is_the_plain_scan(seed):
    """Whatever was added and taken out in whatever order, the rows found are those of a plain scan."""
    draw = random.Random(seed)
    index = VolumeIndex()
    rows, kinds, alive = np.empty((0, 12), dtype=np.int64), [], []
    for _ in range(draw.randint(1, 12)):
        more = some_rows(draw, draw.choice([1, 7, 300, 700]))
        kind = draw.random() < 0.3
        assert list(index.add(more, kind)) == list(range(len(rows), len(rows) + len(more)))
        rows = np.concatenate([rows, more])
        kinds += [kind] * len(more)
        alive += [True] * len(more)
        if draw.random() < 0.5:
            start = draw.randrange(len(rows))
            stop = min(len(rows), start + draw.randint(1, 50))
            index.remove(start, stop)
            alive[start:stop] = [False] * (stop - start)
        for rules in RULES:
            some = some_rows(draw, 5)
            some[0] = rows[draw.randrange(len(rows))]
            expected = [plain(rows, kinds, alive, row, kind, rules) for row in some]
            found = [index.near(row, kind, rules).copy() for row in some]
            assert [sorted(one.tolist()) for one in found] == expected
            together = index.near_any(some, kind, rules).tolist()
            assert together == sorted(set().union(*expected))


@pytest.mark.usefixtures("_path")
def test_near_finds_more_than_there_was_room_for():
    """Nothing is cut off where very many are near."""
    index = VolumeIndex()
    row = some_rows(random.Random(1), 1)
    index.add(np.repeat(row, 5_000, axis=0), False)
    assert sorted(index.near(row[0], False, Rules()).tolist()) == list(range(5_000))


@pytest.mark.usefixtures("_path")
def test_keep_only_numbers_the_rest_anew():
    """After packing anew the rows kept have the numbers of their places in the list."""
    index = VolumeIndex()
    rows = some_rows(random.Random(2), 1_500)
    index.add(rows, False)
    index.remove(0, 1_000)
    index.keep_only(np.arange(1_000, 1_500)[::-1])
    assert index.count == 500
    assert index.dead == 0
    assert (index.rows == rows[1_000:][::-1]).all()
    expected = plain(index.rows, [False] * 500, [True] * 500, rows[1_200], False, Rules())
    assert sorted(index.near(rows[1_200], False, Rules()).tolist()) == expected
    index.keep_only(np.empty(0, dtype=np.int64))
    assert index.near(rows[0], False, Rules()).tolist() == []


def test_dead_rows_lie_outside_all_time():
    """A row taken out begins after and ends before every other."""
    index = VolumeIndex()
    index.add(some_rows(random.Random(3), 2), False)
    index.remove(0, 1)
    assert index.rows[0, START] > 10**18 > -(10**18) > index.rows[0, END]


@given(st.integers(-(10**9), 10**9), st.sampled_from(DATUMS), st.integers(0, 999))
@settings(max_examples=200)
def test_bands_of_many_are_the_bands_of_each(value, datum, permille):
    """The arrays of datum bounds say what `DatumBounds.range_msl` says, to the last 0.1 mm."""
    bounds = DatumBounds(cold_permille=permille, warm_permille=999 - permille)
    row = np.zeros((1, 12), dtype=np.int64)
    row[0, 8] = row[0, 10] = value
    row[0, 9] = row[0, 11] = DATUMS.index(datum)
    assert tuple(bands_msl(row, shifts_of(bounds))[0].tolist()) == bounds.range_msl(value, datum)


@given(st.integers(0, 2**31), st.sampled_from([None, *RULES]))
@settings(max_examples=50, deadline=None)
def test_box_of_one_row_is_its_box_among_many(seed, rules):
    """A row on its own has the band and the coarse box that it has in the arrays of many."""
    rows = some_rows(random.Random(seed), 20)
    shifts = shifts_of((rules or Rules()).bounds)
    if rules is None:  # a row is entered as it is, dead ones too
        rows[0, START], rows[0, END] = np.iinfo(np.int64).max, np.iinfo(np.int64).min
    bands = bands_msl(rows, shifts)
    if rules is None:
        many = volumeindex._coarse(rows, bands)
    else:
        many = volumeindex._wider(rows, bands, rules)
    for row, band, box in zip(rows, bands, many, strict=True):
        own_band, own_box = volumeindex._box_of_one(row, shifts, rules)
        assert own_band.tolist() == band.tolist()
        assert own_box.tolist() == box.tolist()
