"""Recorded trajectories: what is read from files, and what is refused with file, row and column."""

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from systems import Recording, RecordingNote, read_trajectories
from systems.recordings.recording import Columns

TIMES = np.array([0.0, 0.1, 0.3, 0.4])
STATES = np.arange(24, dtype=np.float64).reshape(3, 4, 2)


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.csv"
    path.write_text(text)
    return path


def saved(folder: Path, **arrays: object) -> Path:
    path = folder / "mine.npz"
    np.savez(path, **arrays)  # pyright: ignore[reportArgumentType]
    return path


def changed(array: np.ndarray, index: tuple[int, ...], value: float) -> np.ndarray:
    array = array.astype(np.float64)
    array[index] = value
    return array


# What is read


def test_one_trajectory_is_read_from_rows(tmp_path: Path):
    recording = read_trajectories(written(tmp_path, "time,x,y\n0,1,2\n0.5,3,4e1\n2,-5,6\n"))
    (only,) = recording.trajectories
    assert (recording.channels, recording.dim) == (("x", "y"), 2)
    np.testing.assert_array_equal(only.times, [0, 0.5, 2])
    np.testing.assert_array_equal(only.states, [[1, 2], [3, 40], [-5, 6]])
    assert only.states.dtype == np.float64


def test_rows_of_several_trajectories_may_be_mixed_and_of_any_column_order(tmp_path: Path):
    text = "x, time ,trajectory\n1,0,b\n10,5,a\n2,1,b\n\n20,6,a\n3,2,b\n30,7,a\n4,3,b\n"
    first, second = read_trajectories(written(tmp_path, text)).trajectories
    assert (first.name, second.name) == ("b", "a")
    np.testing.assert_array_equal(first.states, [[1], [2], [3], [4]])
    np.testing.assert_array_equal(second.times, [5, 6, 7])


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: Path):
    path = tmp_path / "MINE.CSV"
    path.write_bytes(b"\xef\xbb\xbftime,x\r\n0,1\r\n1,2\r\n2,3\r\n")
    assert read_trajectories(path).channels == ("x",)


@pytest.mark.parametrize("times", [TIMES, np.stack([TIMES, TIMES + 1, 2 * TIMES])], ids=["shared", "own"])
def test_batches_are_read_from_arrays(tmp_path: Path, times: np.ndarray):
    recording = read_trajectories(saved(tmp_path, times=times, states=STATES.astype(np.float32)))
    assert recording.channels == ("x0", "x1")
    for index, trajectory in enumerate(recording.trajectories):
        np.testing.assert_array_equal(trajectory.states, STATES[index])
        np.testing.assert_array_equal(trajectory.times, np.broadcast_to(times, (3, 4))[index])


@pytest.mark.parametrize("times", [TIMES, TIMES[None]], ids=["shared", "own"])
def test_one_trajectory_with_named_channels_is_read_from_arrays(tmp_path: Path, times: np.ndarray):
    recording = read_trajectories(saved(tmp_path, times=times, states=STATES[0], channels=["prey", "fox"]))
    assert recording.channels == ("prey", "fox")
    np.testing.assert_array_equal(recording.trajectories[0].states, STATES[0])


def test_both_formats_give_the_same(tmp_path: Path):
    rows = [f"{k},{t!r},{x},{y}" for k in range(3) for t, (x, y) in zip(TIMES.tolist(), STATES[k], strict=True)]
    by_rows = read_trajectories(written(tmp_path, "\n".join(["trajectory,time,x0,x1", *rows])))
    by_arrays = read_trajectories(str(saved(tmp_path, times=TIMES, states=STATES)))
    assert by_rows.channels == by_arrays.channels

    def values(recording: Recording) -> np.ndarray:
        return np.stack([np.column_stack([one.times, one.states]) for one in recording.trajectories])

    np.testing.assert_array_equal(values(by_rows), values(by_arrays))


# What is refused


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("time,x\n0,1\n1,nan\n2,3\n", ", row 3, column 'x': 'nan' is not a finite number"),
        ("time,x\n0,1\n1,\n2,3\n", ", row 3, column 'x': '' is not a finite number"),
        ("time,x\n0,1\n1,2\n\n2,three\n", ", row 5, column 'x': 'three' is not a finite number"),
        ("time,x\ninf,1\n", ", row 2, column 'time': 'inf' is not a finite number"),
        ("time,x\n0,1\n2,2\n1,3\n", ", row 4, column 'time': 1 does not come after 2 in trajectory 0"),
        ("trajectory,time,x\na,0,1\nb,0,1\na,0,2\n", ", row 4, column 'time': 0 does not come after 0 in trajectory a"),
        ("time,x,y\n0,1,2\n1,2\n", ", row 3: has 2 values, but the header names 3 columns"),
        ("time,x\n0,1\n1,2\n", ": trajectory 0 has 2 samples, but at least 3 are needed"),
        ("x,y\n0,1\n", ", row 1: needs a column 'time' and at least one channel, but has ['x', 'y']"),
        ("time,trajectory\n0,1\n", ", row 1: needs a column 'time' and at least one channel"),
        ("time,x,x\n0,1,2\n", ", row 1: column 'x' appears more than once"),
        ("time,x,\n0,1,2\n", ", row 1: column 3 has no name"),
        ("time,x\n", ": has no samples below its header"),
        ("", ", row 1: needs a column 'time' and at least one channel, but has []"),
        ("t,x\n0,1\n", ", but has ['t', 'x']: rename one, or say with Recorded.time which holds the times"),
        ("time;x\n0;1\n", ", row 1: columns are separated by ';': write commas between them and points in numbers"),
        ("time;x\n0,5;1,5\n", ", row 1: columns are separated by ';': write commas between them and points in numbers"),
        ("time\tx\n0\t1\n", ", row 1: columns are separated by '\\t': write commas between them"),
        ("time x\n0 1\n", ", row 1: columns are separated by ' ': write commas between them"),
        (
            "0.0,1.0,-2e-3\n0.1,1.1,2\n",
            ", row 1: holds numbers where the names of the columns belong: put a row such as",
        ),
        ("time,x\n0,1\n0,1,5\n", ", row 3: has 3 values, but the header names 2 columns: write a value for each, and"),
        ('time,x\n0,1\n1,"1,5"\n', ", row 3, column 'x': '1,5' is not a finite number: write a decimal point"),
        ("time,x\n0,1\n1,1_05\n", ", row 3, column 'x': '1_05' is not a finite number: write digits without _"),
        ("time,x\n0,1\n1,\n", ", row 3, column 'x': '' is not a finite number: fill it in, or leave out the row"),
        ("time,x\n2024-01-01,1\n", ", column 'time': '2024-01-01' is not a finite number: give times as numbers"),
        (",time,x\n0,0,1\n", ", row 1: column 1 has no name: give it one, or leave it out, as pandas does"),
        ("Unnamed: 0,time,x\n0,0,1\n", ", row 1: column 1 has no name: give it one, or leave it out, as pandas does"),
        ("time,x\n0,1\n1,-1e200\n2,3\n", ", column 'x': has numbers as large as 1e+200, which cannot be computed with"),
        (
            "time,x\n0,1e-200\n1,2e-200\n2,3e-200\n",
            ", column 'x': has a range of only 2e-200, which cannot be computed",
        ),
        ("time,x\n0,1\n1e200,2\n2e200,3\n", ", column 'time': has numbers as large as 2e+200, which cannot be"),
    ],
)
def test_bad_rows_are_refused_with_their_place(tmp_path: Path, text: str, complaint: str):
    path = written(tmp_path, text)
    with pytest.raises(ValueError) as refusal:  # noqa: PT011
        read_trajectories(path)
    assert str(refusal.value).startswith(str(path))
    assert complaint in str(refusal.value)


@pytest.mark.parametrize(
    ("arrays", "complaint"),
    [
        (
            {"times": TIMES, "states": changed(STATES, (1, 2, 0), np.nan)},
            ", 'states', trajectory 1, row 2, column 'x0': nan is not a finite number",
        ),
        (
            {"times": changed(TIMES, (3,), np.inf), "states": STATES},
            ", 'times', trajectory 0, row 3: inf is not a finite number",
        ),
        (
            {"times": changed(TIMES, (2,), 0.1), "states": STATES},
            ", 'times', trajectory 0, row 2: 0.1 does not come after 0.1",
        ),
        (
            {"times": TIMES[:, None], "states": STATES[0, :, :1]},
            ": 'times' of shape (4, 1) does not fit 'states' of shape (4, 1): give it the shape (4,) or (1, 4)",
        ),
        ({"times": TIMES[:3], "states": STATES}, ": 'times' of shape (3,) does not fit 'states' of shape (3, 4, 2)"),
        (
            {"times": TIMES, "states": STATES[0].T},
            ": 'times' of shape (4,) does not fit 'states' of shape (2, 4), whose time is on axis 1: "
            "save numpy.moveaxis(states, 1, -2), [time, dim]",
        ),
        (
            {"times": TIMES, "states": np.moveaxis(STATES, 1, 0)},
            ", whose time is on axis 0: save numpy.moveaxis(states, 0, -2), [batch, time, dim]",
        ),
        ({"times": TIMES, "states": TIMES}, ": 'states' must be [batch, time, dim] or [time, dim]"),
        ({"times": TIMES, "states": STATES[:, :, :0]}, ": 'states' must be [batch, time, dim] or [time, dim]"),
        ({"times": TIMES[:2], "states": STATES[:, :2]}, ": trajectory 0 has 2 samples, but at least 3 are needed"),
        ({"times": TIMES}, ": has no array 'states'; it has ['times']"),
        ({"times": TIMES, "states": STATES.astype(str)}, ": 'states' must hold real numbers, but is of type <U"),
        ({"times": TIMES, "states": STATES, "channels": ["x"]}, ": 'channels' names 1 channels, but 'states' has 2"),
        ({"times": TIMES, "states": STATES.astype(object)}, ": is not an NPZ file of plain arrays (pickled objects"),
    ],
)
def test_bad_arrays_are_refused_with_their_place(tmp_path: Path, arrays: dict, complaint: str):
    path = saved(tmp_path, **arrays)
    with pytest.raises(ValueError) as refusal:  # noqa: PT011
        read_trajectories(path)
    assert str(refusal.value).startswith(str(path))
    assert complaint in str(refusal.value)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04truncated", b"\x80\x04K\x01."])
def test_files_that_are_no_archives_are_refused(tmp_path: Path, content: bytes):
    path = tmp_path / "broken.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"broken\.npz: is not an NPZ file of plain arrays"):
        read_trajectories(path)


def test_a_single_array_is_no_archive(tmp_path: Path):
    path = tmp_path / "single.npz"
    with path.open("wb") as file:
        np.save(file, STATES)
    with pytest.raises(ValueError, match="it holds a single array"):
        read_trajectories(path)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path):
    path = tmp_path / "broken.csv"
    path.write_bytes(b"time,x\n0,\xff\n")
    with pytest.raises(ValueError, match=r"broken\.csv: is not a CSV file in UTF-8"):
        read_trajectories(path)


def test_trajectories_that_are_too_short_are_left_out_by_name(tmp_path: Path):
    path = written(tmp_path, "trajectory,time,x\na,0,1\nb,0,1\nb,1,2\nb,2,4\nc,0,2\nc,1,5\n")
    with pytest.warns(
        RecordingNote, match=r"mine\.csv: trajectories of fewer than 3 samples are left out: a \(1\) and c"
    ):
        assert [one.name for one in read_trajectories(path).trajectories] == ["b"]


def test_an_index_of_pandas_is_no_channel_where_others_are_chosen(tmp_path: Path):
    path = written(tmp_path, ",time,x\n0,0,1\n1,1,2\n2,2,4\n")
    assert read_trajectories(path, columns=Columns(channels=("x",))).channels == ("x",)


def test_trajectories_shorter_than_a_window_can_be_refused(tmp_path: Path):
    path = saved(tmp_path, times=TIMES, states=STATES)
    assert len(read_trajectories(path, least_samples=4).trajectories) == 3
    with pytest.raises(ValueError, match=r"trajectory 0 has 4 samples, but at least 5 are needed"):
        read_trajectories(path, least_samples=5)


def test_other_formats_and_missing_files_are_told(tmp_path: Path):
    with pytest.raises(
        ValueError, match=r"mine\.txt: trajectories are read from .*\.parquet, \.nc or \.mat files, not from \.txt"
    ):
        read_trajectories(tmp_path / "mine.txt")
    with pytest.raises(FileNotFoundError, match=r"none\.csv"):
        read_trajectories(tmp_path / "none.csv")


# Parquet


def in_parquet(folder: Path, **columns: list) -> Path:
    pytest.importorskip("pyarrow")
    import pyarrow
    from pyarrow import parquet

    path = folder / "mine.parquet"
    parquet.write_table(pyarrow.table(columns), path)
    return path


def test_parquet_files_are_read_as_rows_are(tmp_path: Path):
    path = in_parquet(tmp_path, trajectory=[7, 7, 7, 8, 8, 8], time=[0, 1, 2, 0, 1, 3], x=[1.0, 2, 3, 4, 5, 6])
    first, second = read_trajectories(path).trajectories
    assert (first.name, second.name) == ("7", "8")
    np.testing.assert_array_equal(first.states, [[1], [2], [3]])
    np.testing.assert_array_equal(second.times, [0, 1, 3])


def test_what_is_missing_in_a_parquet_file_is_refused_with_its_place(tmp_path: Path):
    with pytest.raises(ValueError, match=r"mine\.parquet, row 1, column 'x': None is not a finite number"):
        read_trajectories(in_parquet(tmp_path, time=[0, 1, 2], x=[1.0, None, 3.0]))
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"nonsense")
    with pytest.raises(ValueError, match=r"broken\.parquet: is not a Parquet file"):
        read_trajectories(broken)


def test_a_missing_extra_is_told_with_the_command_that_installs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(ModuleNotFoundError, match=r"needs the package .*: pip install 'dynamics-bench\[parquet\]'"):
        read_trajectories(tmp_path / "mine.parquet")


# NPY and MATLAB


@pytest.mark.parametrize("states", [STATES, STATES[0]], ids=["several", "one"])
def test_single_arrays_have_the_time_in_their_first_column(tmp_path: Path, states: np.ndarray):
    times = np.broadcast_to(TIMES, states.shape[:-1])[..., None]
    np.save(tmp_path / "mine.npy", np.concatenate([times, states], axis=-1))
    recording = read_trajectories(tmp_path / "mine.npy")
    np.testing.assert_array_equal(
        np.stack([one.times for one in recording.trajectories]), np.atleast_3d(times.T).T[..., 0]
    )
    np.testing.assert_array_equal(recording.trajectories[0].states, STATES[0])


def test_single_arrays_of_another_layout_are_refused(tmp_path: Path):
    np.save(tmp_path / "mine.npy", STATES[0][::-1])
    with pytest.raises(ValueError, match=r"mine\.npy, 'times', .* must increase .*; the first column must be the time"):
        read_trajectories(tmp_path / "mine.npy")
    np.save(tmp_path / "mine.npy", TIMES)
    with pytest.raises(ValueError, match=r"mine\.npy: must be \[time, 1 \+ dim\] .* but its shape is \(4,\): save"):
        read_trajectories(tmp_path / "mine.npy")
    np.savez(tmp_path / "mine.npz", times=TIMES, states=STATES)
    (tmp_path / "mine.npz").rename(tmp_path / "mine.npy")
    with pytest.raises(ValueError, match=r"mine\.npy: is not an NPY file of plain numbers \(it is an archive\)"):
        read_trajectories(tmp_path / "mine.npy")


def test_an_array_whose_header_is_damaged_is_refused(tmp_path: Path):
    np.save(tmp_path / "mine.npy", STATES[0])
    content = (tmp_path / "mine.npy").read_bytes()
    (tmp_path / "mine.npy").write_bytes(content.replace(b"}", b" ", 1))  # of which Python's tokenizer finds no end
    with pytest.raises(ValueError, match=r"mine\.npy: is not an NPY file of plain numbers .* save it with numpy\.save"):
        read_trajectories(tmp_path / "mine.npy")


@pytest.mark.parametrize("times", [TIMES[:, None], TIMES[None]], ids=["column", "row"])
def test_matlab_files_are_read(tmp_path: Path, times: np.ndarray):
    names = np.array(["prey", "fox"], dtype=object)
    savemat(tmp_path / "mine.mat", {"times": times, "states": STATES[0], "channels": names})
    recording = read_trajectories(tmp_path / "mine.mat")
    assert recording.channels == ("prey", "fox")
    np.testing.assert_array_equal(recording.trajectories[0].times, TIMES)
    np.testing.assert_array_equal(recording.trajectories[0].states, STATES[0])
    savemat(tmp_path / "mine.mat", {"times": times, "states": STATES})
    np.testing.assert_array_equal(read_trajectories(tmp_path / "mine.mat").trajectories[2].states, STATES[2])
    savemat(tmp_path / "mine.mat", {"times": times, "states": STATES[0][:, :1]})
    np.testing.assert_array_equal(read_trajectories(tmp_path / "mine.mat").trajectories[0].states, STATES[0][:, :1])


def version_7_3(path: Path, **arrays: np.ndarray) -> None:
    """Write arrays as MATLAB does since version 7.3: HDF5 behind a header, transposed, texts as numbers."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, array in arrays.items():
            if array.dtype.kind == "U":
                letters = [np.array([[ord(letter)] for letter in text], dtype=np.uint16) for text in array]
                cells = [file.create_dataset(f"#refs#/{name}{k}", data=codes).ref for k, codes in enumerate(letters)]
                file.create_dataset(name, data=np.array([cells], dtype=h5py.ref_dtype).T, dtype=h5py.ref_dtype)
            else:
                file.create_dataset(name, data=array.T)
    header = b"MATLAB 7.3 MAT-file".ljust(124) + bytes([0, 2]) + b"IM"
    with path.open("r+b") as file:
        file.write(header)


def test_matlab_files_of_version_7_3_are_read(tmp_path: Path):
    version_7_3(tmp_path / "mine.mat", times=TIMES[:, None], states=STATES[0], channels=np.array(["prey", "fox"]))
    recording = read_trajectories(tmp_path / "mine.mat")
    assert recording.channels == ("prey", "fox")
    np.testing.assert_array_equal(recording.trajectories[0].times, TIMES)
    np.testing.assert_array_equal(recording.trajectories[0].states, STATES[0])
    version_7_3(tmp_path / "mine.mat", times=TIMES[:, None], states=STATES)
    np.testing.assert_array_equal(read_trajectories(tmp_path / "mine.mat").trajectories[1].states, STATES[1])


def test_a_matlab_file_whose_table_of_names_is_damaged_is_refused(tmp_path: Path):
    version_7_3(tmp_path / "mine.mat", times=TIMES, states=STATES[0])
    content = (tmp_path / "mine.mat").read_bytes()
    (tmp_path / "mine.mat").write_bytes(content.replace(b"HEAP", b"PEAH"))
    with pytest.raises(ValueError, match=r"mine\.mat: is not a MATLAB file"):
        read_trajectories(tmp_path / "mine.mat")


def test_what_is_no_matlab_file_or_needs_an_extra_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "broken.mat").write_bytes(b"nonsense")
    with pytest.raises(ValueError, match=r"broken\.mat: is not a MATLAB file"):
        read_trajectories(tmp_path / "broken.mat")
    savemat(tmp_path / "mine.mat", {"t": TIMES, "x": STATES[0]})
    with pytest.raises(ValueError, match=r"mine\.mat: has no array 'times'; it has \['t', 'x'\]: save the times as"):
        read_trajectories(tmp_path / "mine.mat")
    version_7_3(tmp_path / "mine.mat", times=TIMES, states=STATES)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ModuleNotFoundError, match=r"needs the package h5py: pip install 'dynamics-bench\[matlab\]'"):
        read_trajectories(tmp_path / "mine.mat")


# Columns


def test_columns_may_have_other_names_and_channels_be_chosen(tmp_path: Path):
    path = written(tmp_path, "t,run,x,y,note\n0,a,1,2,-\n1,a,3,4,-\n2,a,5,6,-\n")
    (only,) = read_trajectories(path, columns=Columns("t", "run", ("y",))).trajectories
    np.testing.assert_array_equal(only.states, [[2], [4], [6]])
    with pytest.raises(ValueError, match=r"mine\.csv, row 1: has no channel 'z', only x, y, note"):
        read_trajectories(path, columns=Columns("t", "run", ("z",)))
    with pytest.raises(ValueError, match=r"mine\.csv, row 1: the channel 'y' is asked for twice: name each once"):
        read_trajectories(path, columns=Columns("t", "run", ("y", "x", "y")))


def test_channels_of_arrays_may_be_chosen_too(tmp_path: Path):
    path = saved(tmp_path, times=TIMES, states=STATES)
    recording = read_trajectories(path, columns=Columns(channels=("x1",)))
    np.testing.assert_array_equal(recording.trajectories[0].states, STATES[0][:, 1:])
