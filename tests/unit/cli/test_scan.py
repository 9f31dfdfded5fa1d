"""`detente scan`: a file of any size and order, all tracks against all; what is wrong is named by row."""

import io
import json
import os
import random
import threading

import numpy as np
import pytest
from typer.testing import CliRunner

from detente.airspace.leg import LegRules
from detente.cli import main
from detente.cli import scan as scanning
from detente.cli.main import app
from detente.cli.scan import document, scan_tracks
from detente.cli.spill import Spill
from detente.cli.trackbench import made_tracks, tracks_csv
from detente.conflict.trajectory import Minima, build_tracks, find_conflicts
from detente.errors import UsageError

NM, FT, S = 18_520_000, 3048, 1_000_000
MINIMA = Minima(5 * NM, 1000 * FT)
HEAD = "id,time,lat,lon,alt_ft\n"
T0 = 1_533_081_600

MEETING = [
    f"B,{T0},46.0,7.00,30000",
    f"B,{T0 + 100},46.0,7.30,30000",
    f"A,{T0},46.02,7.30,30500",
    f"A,{T0 + 100},46.02,7.00,30500",
    f"C,{T0},47.9,7.00,30000",
    f"C,{T0 + 100},47.9,7.30,30000",
]


def rows(*lines):
    """A CSV file."""
    return (HEAD + "".join(line + "\n" for line in lines)).encode()


def scanned(data, **options):
    """A scan at 5 NM and 1,000 ft."""
    return scan_tracks(io.BytesIO(data), MINIMA, **options)


def run(tmp_path, data, *options, name="tracks.csv"):
    """The command on a file."""
    path = tmp_path / name
    path.write_bytes(data)
    return CliRunner().invoke(app, ["scan", str(path), *options])


@pytest.fixture(scope="module")
def crowded():
    """Some hours of made-up traffic as a file, and what the engine finds in its points at once."""
    tracks = made_tracks(400, hours=3)
    # through text and back, as a file has it
    data = tracks_csv(tracks)
    values = [line.split(",") for line in data.decode().splitlines()[1:]]
    columns = [
        np.rint(np.array([float(v[k]) for v in values]) * factor).astype(np.int64)
        for k, factor in ((1, S), (3, 10**9), (2, 10**9), (4, FT))
    ]
    return data, find_conflicts(build_tracks(tracks.ids, tracks.starts, *columns), MINIMA)


def test_scan_json_is_as_the_contract_says(tmp_path):
    """One document: conflicts with a below b, closest, tracks, legs, seconds; exit 1 when there are any."""
    done = run(tmp_path, rows(*MEETING), "--json")
    found = json.loads(done.stdout)
    assert done.exit_code == 1
    (one,) = found["conflicts"]
    assert (one["a"], one["b"]) == ("A", "B")
    assert one["from"] < one["closest"]["time"] < one["until"]
    assert one["closest"]["time"] == "2018-08-01T00:00:50Z"
    assert one["closest"]["vertical_ft"] == 500
    assert 1.1 < one["closest"]["lateral_nm"] < 1.3
    assert (found["tracks"], found["legs"], found["datum"]) == (3, 3, "STD")
    assert found["seconds"] >= 0


def test_scan_of_clear_tracks_exits_0(tmp_path):
    """Clear is 0, and minima are options: half the distance clears these."""
    assert run(tmp_path, rows(*MEETING[2:]), "--json").exit_code == 0
    done = run(tmp_path, rows(*MEETING), "--lateral-nm", "1")
    assert done.exit_code == 0
    assert "no conflicts below 1 NM" in done.stdout


def test_scan_shuffled_by_time_or_by_id_is_the_same(crowded):
    """Rows may come in any order; sorted by id, by time or shuffled give the same conflicts, equal to the engine's on all points at once."""
    data, expected = crowded
    lines = data.decode().splitlines()[1:]
    by_time = sorted(lines, key=lambda line: float(line.split(",")[1]))
    shuffled = list(lines)
    random.Random(3).shuffle(shuffled)
    for order in (lines, by_time, shuffled):
        found = scanned(rows(*order))
        assert [found.ids[k] for k in found.a] == [expected.ids[k] for k in expected.a]
        assert (found.a == expected.a).all()
        assert (found.b == expected.b).all()
        assert (found.numbers[:5] == expected.numbers).all()
        assert found.legs == expected.legs
    assert len(expected.a) > 20


@pytest.mark.parametrize("window_rows", [1_024, 3_000, 10**6])
def test_scan_through_disk_and_in_small_windows_is_the_same(crowded, window_rows):
    """Runs on disk and windows of any size change nothing: no conflict is lost or cut where windows meet."""
    data, expected = crowded
    found = scanned(
        data, window_rows=window_rows, spill=Spill(run_rows=2_000, kept_runs=1), threads=1
    )
    assert (found.numbers[:5] == expected.numbers).all()
    assert (found.a == expected.a).all()
    assert found.legs == expected.legs
    assert found.skipped["gaps"] == expected.skipped.gaps
    assert found.skipped["jumps"] == expected.skipped.jumps
    assert found.skipped["points"] == expected.skipped.points


def test_scan_of_parquet_is_that_of_csv(crowded, tmp_path):
    """The same table as Parquet, in several row groups, gives the same conflicts."""
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    data, expected = crowded
    values = [line.split(",") for line in data.decode().splitlines()[1:]]
    table = pyarrow.table(
        {"id": [v[0] for v in values]}
        | {
            name: [float(v[k]) for v in values]
            for k, name in ((1, "time"), (2, "lat"), (3, "lon"), (4, "alt_ft"))
        }
    )
    buffer = io.BytesIO()
    parquet.write_table(table, buffer, row_group_size=5_000)
    found = scanned(buffer.getvalue())
    assert (found.numbers[:5] == expected.numbers).all()
    cut = buffer.getvalue()[:-200]
    done = run(tmp_path, cut, name="cut.parquet")
    assert done.exit_code == 2
    assert "must be whole and Parquet" in done.stderr


def test_scan_says_what_it_leaves_out(tmp_path):
    """Gaps, jumps, points alone and repeated rows are counted and named; nothing is dropped silently."""
    data = rows(
        *MEETING,
        MEETING[0],
        f"D,{T0},10,10,1000",
        f"E,{T0},20,20,1000",
        f"E,{T0 + 10},21,20,1000",
        f"E,{T0 + 20},21,20.001,1000",
        f"F,{T0},30,30,0",
        f"F,{T0 + 601},30,30,0",
    )
    done = run(tmp_path, data, "--json")
    assert json.loads(done.stdout)["skipped"] == {
        "gaps": 1,
        "jumps": 1,
        "points": 4,
        "duplicates": 1,
    }
    assert "note: 1 silence over 600 s cuts a track" in done.stderr
    assert "note: 1 jump that would need more than 1,500 m/s is left out" in done.stderr
    assert "the first jump: E at 2018-08-01T00:00:00Z" in done.stderr
    assert "note: 1 row repeats another" in done.stderr
    assert done.exit_code == 1


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "id, time, lat, lon, alt_ft are missing"),
        (HEAD.encode(), "file has no rows"),
        (b"id;time;lat;lon;alt_ft\nA;0;1;2;3\n", "are missing"),
        (b"id,time,lat,lon,altitude_m\nA,0,1,2,3\n", "alt_ft is pressure altitude in feet"),
        (rows("A,0,1,2,3", "A,0,1,2.1,3"), "rows 1 and 2 put 'A' in two places"),
        (rows("A,0,nan,2,3"), "row 1, lat: lat is 'nan'"),
        (rows("A,0,1,2,1e400"), "row 1, alt_ft"),
        (rows("A,0,1,2,10668 m"), "row 1, alt_ft"),
        (rows("A,1e300,1,2,3"), "row 1, time"),
        (rows("A,0,46,7,3", "A,5,7,146,3", "A,9,146,7,3"), "look swapped"),
        (rows("A,0,1,2"), "row has 4 cells"),
        (b"PAR1 and no more", "must be whole and Parquet"),
        (b"\x00\x01\x02\xff" * 50, "must be"),
    ],
)
def test_scan_of_a_bad_file_exits_2_and_says_where(tmp_path, data, says):
    """What cannot be read is refused with its row and value; never a crash, never a guess."""
    done = run(tmp_path, data)
    assert done.exit_code == 2, done.output
    assert says in done.stderr
    assert "Traceback" not in done.output


@pytest.mark.parametrize(
    "options",
    [
        ["--lateral-nm", "-1"],
        ["--vertical-ft", "x"],
        ["--max-gap-s", "0"],
        ["--max-gap-s", "1e9"],
        ["--max-speed-mps", "0"],
        ["--lateral-nm", "1e6"],
        ["--plot", "/no/such/folder/x.png"],
        ["--plot", "picture.docx"],
        ["--plot", "picture"],
    ],
)
def test_scan_options_out_of_range_exit_2(tmp_path, options):
    """An option that means nothing is refused by its name, before the file is read where that can be."""
    if options[0] == "--plot":
        pytest.importorskip("matplotlib")
    done = run(tmp_path, rows("A,0,nan,0,0"), *options)
    assert done.exit_code == 2
    assert "nan" not in done.stderr
    if options[1] != "1e6":  # a minimum past its limit
        assert options[0] in done.stderr


def test_scan_of_a_pipe(tmp_path):
    """CSV may come through a pipe; Parquet cannot, and is told so."""
    for data, code in ((rows(*MEETING), 1), (b"PAR1 and more\n" * 9, 2)):
        pipe = tmp_path / f"pipe{code}"
        os.mkfifo(pipe)
        writer = threading.Thread(target=pipe.write_bytes, args=(data,))
        writer.start()
        done = CliRunner().invoke(app, ["scan", str(pipe)])
        writer.join()
        assert done.exit_code == code, done.output
    assert "Parquet from a pipe; it must be a file" in done.stderr


def test_a_fault_of_the_program_is_no_verdict(monkeypatch, capsys):
    """What breaks off with a traceback exits 4: 1 would say that there is a conflict."""

    def broken(*_, **__):
        raise RuntimeError("a fault")

    monkeypatch.setattr(main, "app", broken)
    mask = os.umask(0o077)
    try:
        with pytest.raises(SystemExit) as ended:
            main.main()
    finally:
        os.umask(mask)
    assert ended.value.code == 4
    assert "it gave no answer" in capsys.readouterr().err


def test_scan_prints_conflicts_by_time_and_says_what_it_does_not_print(tmp_path, crowded):
    """A list that is cut says so."""
    done = run(tmp_path, crowded[0], "--limit", "3")
    assert "more; --limit shows more, --json all" in done.stdout
    assert "altitudes are pressure altitudes (STD)" in done.stdout


def test_scan_draws_a_picture(tmp_path):
    """`--plot` writes a picture, also where there is no conflict and across the antimeridian."""
    pytest.importorskip("matplotlib")
    for data in (
        rows(*MEETING),
        rows(*MEETING[4:]),
        rows(f"A,{T0},0,179.9,0", f"A,{T0 + 90},0,-179.9,0"),
    ):
        picture = tmp_path / "out.png"
        picture.unlink(missing_ok=True)
        run(tmp_path, data, "--plot", str(picture))
        assert picture.read_bytes()[:4] == b"\x89PNG"
    assert run(tmp_path, rows(*MEETING), "--plot", str(tmp_path / "out.docx")).exit_code == 2


def test_scan_gap_over_a_window_is_counted_once():
    """A silence longer than a window and its surroundings is one gap."""
    data = rows(*(f"A,{T0 + t},46,7,3000" for t in (0, 60, 50_000, 50_060)))
    found = scanned(data, window_rows=1)
    assert found.skipped == {"gaps": 1, "jumps": 0, "points": 0, "duplicates": 0}
    assert document(found)["legs"] == 2


def test_scan_closest_place_is_on_the_track():
    """The place that is printed lies on the first track, also where it crosses 180 degrees."""
    data = rows(
        f"A,{T0},0,179.9,0",
        f"A,{T0 + 100},0,-179.9,0",
        f"B,{T0},0.01,180,0",
        f"B,{T0 + 100},0.01,-180,0",
    )
    found = document(scan_tracks(io.BytesIO(data), MINIMA, LegRules()))
    (one,) = found["conflicts"]
    assert abs(one["closest"]["lon"]) == pytest.approx(180, abs=1e-4)
    assert one["closest"]["lat"] == 0


def test_scan_ids_are_bounded(monkeypatch):
    """More ids than a run can hold in memory are an error, not a machine without memory."""
    monkeypatch.setattr("detente.cli.spill.TRACKS_MOST", 2)
    with pytest.raises(UsageError, match="more than 2 ids"):
        scanned(rows(*MEETING))
    assert scanning.WINDOW_ROWS <= 2_000_000


def test_scan_of_too_many_rows_at_one_time_is_refused(monkeypatch):
    """A file whose rows all have one time cannot be cut into windows; past a bound it is refused, not read into memory."""
    monkeypatch.setattr("detente.cli.spill.WINDOW_MOST", 100)
    with pytest.raises(UsageError, match="more than 100 rows lie between"):
        scanned(rows(*(f"A{k},{T0},46,7,3000" for k in range(200))))
