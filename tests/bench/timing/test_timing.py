"""Timings: every learner's update and forecast step can be taken at will, measured, written, and compared."""

import json
import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.autograd import DeviceType

from bench.timing import stopwatch, timing
from bench.timing.updates import Updates, compiled
from learners import (
    Budget,
    Learner,
    MLPClassifier,
    NeuralODE,
    PolynomialPropagator,
    ResNet,
    ResNetClassifier,
    RKNet,
    Training,
    WindowedRNN,
)
from learners.training import cuda_graph
from learners.training.training_step import collect_steps
from results.timing import timings as read
from results.timing.check import check_timings
from results.timing.figures import figures
from results.timing.report import number, ratio_sheet, sheets, write
from systems import Dataset, LinearSpiral, sample, sample_images
from tests.support.commands import exit_code
from tests.support.images import SAMPLING, Stripes, small
from tests.support.stubs import TINY

SMALL = Training(updates=10, batch=8)
CLASSIFIERS = (MLPClassifier, ResNetClassifier)
LEARNERS = (
    NeuralODE(width=4, depth=1, lookahead=2, training=SMALL),
    WindowedRNN(hidden=4, window=2, training=SMALL),
    RKNet(width=4, depth=1, training=SMALL),
)
SUITE = """
from bench.suite import Suite
from learners import NeuralODE, Persistence, ResNet, Training
from metrics import nrmse
from systems import LinearSpiral
from tests.support.stubs import TINY

SMALL = Training(updates=10, batch=8)
LEARNERS = (NeuralODE(width=4, training=SMALL), Persistence())
suite = Suite("tiny", "A tiny one.", (LinearSpiral(),), LEARNERS, (nrmse,), TINY)
"""


@pytest.fixture(scope="module")
def data() -> Dataset:
    return sample(LinearSpiral(), TINY, 0)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ceilings that are found in no time, and nothing compiled, which takes seconds."""
    monkeypatch.setattr(stopwatch, "PRODUCT", {"cpu": 16})
    monkeypatch.setattr(stopwatch, "COPY", {"cpu": 1024})
    monkeypatch.setattr(torch, "compile", lambda run, **options: run)


@pytest.fixture(scope="module")
def found(data: Dataset) -> dict[str, Any]:
    """A report on the CPU, of which nothing is compiled."""
    about = {"suite": "tiny", "system": "LinearSpiral", "threads": 1, "forecasts": 4}
    one = timing.Timing(
        data, "cpu", 1e-3, ("eager", "graph", "kernel"), ("float32", "float64", "tf32"), notify=lambda text: None
    )
    return one.report([*LEARNERS, PolynomialPropagator()], about)


def test_classifiers_are_timed_in_every_part_and_as_they_grow():
    learners = [replace(small(kind), blocks=1) if kind is ResNetClassifier else small(kind) for kind in CLASSIFIERS]
    images = sample_images(Stripes(60), SAMPLING, 0)
    one = timing.Timing(images, "cpu", 1e-3, ("eager", "graph"), ("float32", "float64"), notify=lambda text: None)
    found = one.report(learners, {"suite": "stripes", "system": "Stripes", "images": 20})
    for name in found["learners"]:
        parts = {entry["part"] for entry in read.measurements(found, learner=name, axis="", precision="float32")}
        assert parts == {"forward", "backward", "descent", "update", "forecast step"}
        assert [entry["value"] for entry in read.measurements(found, learner=name, axis="seeds")] == [1, 2, 4, 8]
    assert {entry["value"] for entry in read.measurements(found, axis="blocks")} == {1, 4}
    assert {entry["samples"] for entry in found["costs"]} == {16}
    assert {entry["reason"] for entry in found["skipped"]} == {"CUDA graphs need a GPU", "images are given in float32"}
    assert "the classes of 20 images" in sheets(found)[1].title


def weights(network: torch.nn.Module) -> list[torch.Tensor]:
    return [parameter.detach().clone() for parameter in network.parameters()]


@pytest.mark.parametrize("learner", LEARNERS, ids=lambda learner: type(learner).__name__)
def test_a_rehearsal_trains_nothing_and_gives_the_step_that_training_takes(learner: Any, data: Dataset):
    with collect_steps() as steps:
        untrained = learner.fit_replicas(data, Budget(), [0])[0]
    step = steps[0]
    first = next(iter(step.minibatches(10)))
    for group in step.optimiser.param_groups:
        group["lr"] = learner.training.rate(0.0)
    step.objective(first).sum().backward()
    step.clip()
    step.optimiser.step()
    trained = learner.fit_replicas(data, Budget(0.1), [0])[0]  # one update
    assert trained.log.updates == 1
    assert untrained.log.updates == 0
    for mine, theirs in zip(weights(step.network), trained.weights().values(), strict=True):
        torch.testing.assert_close(mine, theirs)


def test_after_a_rehearsal_learners_train_again(data: Dataset):
    with collect_steps():
        pass
    assert LEARNERS[0].fit_replicas(data, Budget(0.2), [0])[0].log.updates == 2


@pytest.mark.parametrize("learner", LEARNERS, ids=lambda learner: type(learner).__name__)
def test_timed_updates_leave_the_weights_as_they_were_drawn(learner: Learner, data: Dataset):
    updates = Updates.of(learner, data, seeds=2)
    before = [weights(step.network) for step in updates.steps]
    update = updates.update()
    for _ in range(3):
        update()
    for step, drawn in zip(updates.steps, before, strict=True):
        assert all(torch.equal(now, then) for now, then in zip(weights(step.network), drawn, strict=True))


def test_learners_that_cannot_stack_seeds_take_a_step_for_each(data: Dataset):
    assert len(Updates.of(RKNet(width=4, training=SMALL), data, seeds=3).steps) == 3
    assert len(Updates.of(LEARNERS[0], data, seeds=3).steps) == 1
    assert Updates.of(LEARNERS[0], data, seeds=3).samples == 3 * 8


def test_minibatches_have_the_full_length_in_spite_of_a_curriculum(data: Dataset):
    updates = Updates.of(replace(LEARNERS[0], lookahead=4, curriculum=0.5), data)  # pyright: ignore[reportCallIssue]
    assert {minibatch.shape[2] for minibatch in updates.minibatches[0]} == {5}


def test_counts_of_an_update_are_those_of_its_training_log(data: Dataset):
    learner = LEARNERS[0]
    counted, log = Updates.of(learner, data).costs(), learner.fit_replicas(data, Budget(0.1), [0])[0].log
    assert counted["nfe"] == log.nfe_forward + log.nfe_backward == 16
    assert counted["saved_bytes"] == log.saved_bytes
    assert counted["flops"] == log.flops


def test_traffic_is_the_bytes_of_operands_and_results_and_views_cost_nothing():
    a, b = torch.ones(3, 5), torch.ones(5, 7)
    assert stopwatch.traffic(lambda: a @ b) == 4 * (15 + 35 + 21)
    assert stopwatch.traffic(lambda: a.t()) == 0


def test_launches_count_outermost_operators_and_the_memory_that_lives_at_once():
    a = torch.ones(1000)

    def run() -> torch.Tensor:
        b = a + a
        c = b * b
        del b
        return c + c

    seen = stopwatch.launches(run, "cpu")
    assert seen.count == 3
    assert seen.peak_bytes == 2 * 4000


def test_parts_that_follow_one_another_are_timed_apart():
    order: list[str] = []
    times = stopwatch.time_parts([lambda: order.append("first"), lambda: order.append("second")], "cpu", 1e-4)
    assert order[:4] == ["first", "second"] * 2
    assert len(times) == 2
    assert all(0 < second < 1 for part in times for second in part)


def test_no_more_times_are_kept_than_are_needed_and_they_are_spread_over_the_measurement():
    kept = stopwatch.thinned(range(1000))
    assert len(kept) <= stopwatch.KEPT
    assert kept[0] == 0
    assert kept[-1] > 900


def test_threads_are_as_before_afterwards():
    before = torch.get_num_threads()
    with stopwatch.threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before


def test_a_kernel_that_runs_beside_another_does_not_count_twice():
    class Kernel:
        def __init__(self, start: float, end: float) -> None:
            self.time_range = self
            self.start, self.end = start, end

    assert stopwatch._covered([Kernel(0, 4), Kernel(1, 2), Kernel(3, 6), Kernel(8, 9)]) == 7


def test_on_a_gpu_launches_are_kernels_and_busy_is_the_time_that_they_cover(monkeypatch: pytest.MonkeyPatch):
    class Event:
        self_device_memory_usage = 8

        def __init__(self, start: float, end: float, device: DeviceType = DeviceType.CUDA) -> None:
            self.time_range, self.device_type = self, device
            self.start, self.end = start, end

    class Profiler(nullcontext):
        def __init__(self, **options: Any) -> None:
            super().__init__(self)

        def events(self) -> list[Event]:
            return [Event(4, 6), Event(0, 2), Event(0, 9, DeviceType.CPU), Event(6, 10)]

    monkeypatch.setattr(stopwatch, "profile", Profiler)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device: None)
    seen = stopwatch.launches(lambda: None, "cuda")
    assert (seen.count, seen.busy, seen.peak_bytes) == (3, 0.8, 32)


def test_every_learner_is_measured_in_every_part(found: dict[str, Any]):
    for name in found["learners"][:3]:
        parts = {
            entry["part"]
            for entry in read.measurements(found, learner=name, variant="eager", precision="float32", axis="")
        }
        assert parts == {"forward", "backward", "descent", "update", "forecast step"}
    assert all(second > 0 for entry in found["times"] for second in entry["times"])


def test_an_update_is_timed_as_it_grows(found: dict[str, Any]):
    node, rnn, rk = found["learners"][:3]
    values = {
        (name, axis): [entry["value"] for entry in read.measurements(found, learner=name, axis=axis)]
        for name in (node, rnn, rk)
        for axis in ("batch", "width", "lookahead", "seeds")
    }
    assert values[node, "batch"] == [2, 8, 32]
    assert values[node, "width"] == values[rnn, "width"] == [1, 4, 16]
    assert values[node, "lookahead"] == [1, 2, 8]
    assert values[rnn, "lookahead"] == []
    assert values[rk, "seeds"] == [1, 2, 4, 8]


def test_what_cannot_be_had_here_is_skipped_with_its_reason(found: dict[str, Any]):
    reasons = {(entry["learner"], entry["what"]): entry["reason"] for entry in found["skipped"]}
    assert reasons[found["learners"][0], "graph, float32"] == "CUDA graphs need a GPU"
    assert reasons["", "tf32"] == "only GPUs multiply matrices in tf32"
    assert "without updates" in reasons[found["learners"][3], "update"]


def test_what_has_been_measured_before_an_interrupt_is_reported(data: Dataset):
    def notify(text: str) -> None:
        if "scaling" in text:
            raise KeyboardInterrupt

    cut = timing.Timing(data, "cpu", 1e-3, ("eager",), notify=notify).report([LEARNERS[0]], {})
    assert [one["part"] for one in cut["times"]] == ["forward", "backward", "descent", "update", "forecast step"]
    assert [(one["what"], one["reason"]) for one in cut["skipped"]] == [("all that follows", "interrupted")]


def test_an_axis_ends_where_an_update_takes_too_long(data: Dataset, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(timing, "LONGEST", 0)
    found = timing.Timing(data, "cpu", 1e-3, ("eager",), notify=lambda text: None).report([LEARNERS[0]], {})
    assert [one["value"] for one in read.measurements(found, axis="seeds")] == [1]
    reasons = {one["what"]: one["reason"] for one in found["skipped"]}
    assert {"seeds 2", "seeds 4", "seeds 8", "batch 8", "batch 32"} < set(reasons)
    assert reasons["seeds 8"].startswith("an update takes ")
    assert reasons["seeds 8"].endswith(" s with 1 already")


def test_a_batch_is_no_larger_than_the_data(data: Dataset):
    learner = replace(LEARNERS[0], training=replace(SMALL, batch=10_000))
    found = timing.Timing(data, "cpu", 1e-3, ("eager",), notify=lambda text: None).report([learner], {})
    (batch,) = read.measurements(found, axis="batch")
    assert 0 < batch["value"] < 10_000


def test_float64_is_computed_in_float64(data: Dataset, found: dict[str, Any]):
    updates = Updates.of(LEARNERS[1], data, dtype=torch.float64)
    assert updates.steps[0].objective(updates.minibatches[0][0]).dtype == torch.float64
    assert any(True for _ in read.measurements(found, precision="float64", part="update"))


def test_a_failure_of_one_variant_is_a_reason_of_one_line_and_not_the_end(
    data: Dataset, monkeypatch: pytest.MonkeyPatch
):
    def compile_(run: Callable, **options: Any) -> Callable:
        raise RuntimeError("no compiler\n" + "and pages more\n" * 100)

    monkeypatch.setattr(torch, "compile", compile_)
    one = timing.Timing(data, "cpu", 1e-3, ("compiled", "eager"), notify=lambda text: None)
    found = one.report([LEARNERS[0]], {})
    assert found["skipped"][0]["reason"] == "RuntimeError: no compiler"
    assert {entry["variant"] for entry in found["times"]} == {"eager"}


def test_rates_follow_from_times_and_counts(found: dict[str, Any]):
    for cost in found["costs"]:
        taken = next(
            read.measurements(
                found, **{name: cost[name] for name in ("learner", "variant", "precision")}, part="update"
            )
        )
        second = sorted(taken["times"])[(len(taken["times"]) - 1) // 2]
        assert cost["samples_per_second"] == pytest.approx(cost["samples"] / second)
        assert cost["flops_per_second"] == pytest.approx(cost["flops"] / second)
        assert cost["joules"] is None
        assert cost["busy"] is None


def test_a_report_is_strict_json_tables_and_figures(found: dict[str, Any], tmp_path: Path):
    page = write(found, tmp_path)
    assert read.load(tmp_path / "timing.json") == json.loads(json.dumps(found))
    text = page.read_text()
    assert "Measured on the CPU alone" in text
    assert "ceiling, float32" in text
    assert all(name.replace("|", "\\|") in text for name in found["learners"])
    assert {path.name for path in tmp_path.glob("*.svg")} == {"update_times.svg", "scaling.svg"}


def test_without_a_package_for_figures_the_tables_are_there_and_say_so(
    found: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "seaborn", None)
    for name in [
        name for name in sys.modules if name.startswith("results.figures") or name == "results.timing.figures"
    ]:
        monkeypatch.delitem(sys.modules, name)
    text = write(found, tmp_path).read_text()
    assert "ceiling, float32" in text
    assert text.endswith("Figures are left out: seaborn is not installed.\n")


def test_a_growth_that_was_not_measured_is_not_drawn(found: dict[str, Any]):
    alone = found | {"times": list(read.measurements(found, axis="")), "skipped": []}
    assert set(figures(alone)) == {"update_times"}
    assert "Not measured" not in [sheet.title for sheet in sheets(alone)]


@pytest.mark.parametrize(
    ("value", "text"), [(None, "·"), (0, "0"), (0.1234, "0.123"), (1234, "1.23k"), (5.6e7, "56M"), (2e12, "2T")]
)
def test_numbers_have_three_digits(value: float | None, text: str):
    assert number(value) == text


def slowed(found: dict[str, Any], factor: float) -> dict[str, Any]:
    times = [entry | {"times": [factor * second for second in entry["times"]]} for entry in found["times"]]
    return found | {"times": times}


def steady(found: dict[str, Any]) -> dict[str, Any]:
    """The same measurements with hardly any noise."""
    times = [entry | {"times": [1.0 + 1e-4 * (k % 7) for k in range(20)]} for entry in found["times"]]
    return found | {"times": times}


def test_a_slowdown_is_told_from_none(found: dict[str, Any]):
    ratios = read.compare_timings(steady(found), slowed(steady(found), 1.5))
    assert len(ratios) == len(found["times"])
    assert {one.verdict for one in ratios} == {"slower"}
    assert all(one.ratio.low <= 1.5 <= one.ratio.high and one.ratio.median == pytest.approx(1.5) for one in ratios)
    assert {one.verdict for one in read.compare_timings(steady(found), slowed(steady(found), 0.5))} == {"faster"}
    assert {one.verdict for one in read.compare_timings(steady(found), steady(found))} == {"unresolved"}
    assert "update, batch 32" in "".join(row[1] for row in ratio_sheet(ratios).rows)


@pytest.mark.parametrize("name", ["processor", "cores", "threads", "device"])
def test_times_of_different_hardware_are_refused(found: dict[str, Any], name: str):
    other = found | {"environment": found["environment"] | {name: "another"}}
    with pytest.raises(read.BrokenTimingError, match=f"different hardware cannot be compared: {name} .* 'another'"):
        read.compare_timings(found, other)


def test_times_on_different_systems_are_refused(found: dict[str, Any]):
    with pytest.raises(read.BrokenTimingError, match="LinearSpiral and Lorenz"):
        read.compare_timings(found, found | {"system": "Lorenz"})


@pytest.mark.parametrize("entry", [{}, {"times": []}, {"times": ["fast"]}, "fast"], ids=repr)
def test_an_entry_without_times_is_told(found: dict[str, Any], entry: Any, tmp_path: Path):
    path = tmp_path / "some.json"
    path.write_text(json.dumps(found | {"times": [*found["times"], entry]}))
    with pytest.raises(read.BrokenTimingError, match=r"some\.json has an entry without its times"):
        read.load(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "cannot be read"),
        ("{", "cannot be read"),
        ("[]", "holds no timings"),
        ('{"kind": "timing", "form": 1}', "lacks suite"),
    ],
)
def test_a_broken_file_is_told_with_its_path_and_the_remedy(text: str | None, said: str, tmp_path: Path):
    path = tmp_path / "some.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(read.BrokenTimingError, match=f"some.json.*{said}.*python -m bench time"):
        read.load(path)


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Runs a command line beside the file of a tiny suite; gives its exit code and what it printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / "tiny_suite.py").write_text(SUITE)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = exit_code(arguments)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    yield run
    for name in ("tiny_suite", "yardsticks"):
        sys.modules.pop(name, None)


def test_the_command_times_compared_learners_and_fits_into_80_columns(command, tmp_path: Path):
    code, out, _ = command("time", "--suite", "tiny_suite.py", "--seconds", "0.001", "--batch", "4", "--device", "cpu")
    assert code == 0
    assert max(map(len, out.splitlines()[:-1])) <= 80
    assert "Persistence" not in out
    assert "batch      4:" in out
    assert (tmp_path / "runs" / "timing" / "tiny-cpu" / "timing.json").exists()


def test_two_files_of_timings_are_compared_in_every_layout(command, found: dict[str, Any], tmp_path: Path):
    for name, factor in (("a", 1.0), ("b", 2.0)):
        (tmp_path / f"{name}.json").write_text(json.dumps(slowed(steady(found), factor)))
    code, text, _ = command("compare", "a.json", "b.json")
    assert code == 0
    assert "2.00 [2.00, 2.00]" in text
    assert max(map(len, text.splitlines())) <= 80
    assert "slower" in command("compare", "a.json", "b.json", "--format", "md")[1]
    ratios = json.loads(command("compare", "a.json", "b.json", "--format", "json")[1])["ratios"]
    assert {entry["verdict"] for entry in ratios} == {"slower"}


def test_comparing_different_hardware_is_a_mistake_of_one_line(command, found: dict[str, Any], tmp_path: Path):
    (tmp_path / "a.json").write_text(json.dumps(found))
    (tmp_path / "b.json").write_text(
        json.dumps(found | {"environment": found["environment"] | {"device": "cuda (another)"}})
    )
    code, _, err = command("compare", "a.json", "b.json")
    assert code == 2
    assert err.count("\n") == 1
    assert "different hardware" in err


def slowed_for(found: dict[str, Any], learner: str, factor: float) -> dict[str, Any]:
    """The measurements with those of one learner so many times longer."""
    other = slowed(found, factor)["times"]
    times = [there if there["learner"] == learner else here for here, there in zip(found["times"], other, strict=True)]
    return found | {"times": times}


def test_a_check_of_timings_fails_on_what_is_slower_and_on_that_alone(found: dict[str, Any]):
    before = steady(found)
    assert check_timings(before, before).verdict == "pass"
    assert check_timings(before, slowed(before, 0.5)).verdict == "pass"
    assert check_timings(before, slowed(before, 1.2)).verdict == "pass"  # within the tolerance
    one = found["learners"][0]
    slow = check_timings(before, slowed_for(before, one, 1.5))
    assert {finding.learner for finding in slow.of("regressed")} == {one}
    assert "eager update" in {finding.metric for finding in slow.of("regressed")}
    assert "50 % worse over 20 measurements" in str(slow.of("regressed")[0])
    assert not any("batch" in finding.metric for finding in slow.findings)
    assert any("batch" in finding.metric for finding in slow.advisory)


def test_what_is_no_longer_timed_is_lost(found: dict[str, Any]):
    one = found["learners"][0]
    fewer = found | {"times": [entry for entry in found["times"] if entry["learner"] != one]}
    check = check_timings(found, fewer)
    assert check.verdict == "regressed"
    assert f"eager update of {one} is not timed any more" in check.lost


def test_a_slowdown_within_the_drift_of_the_measurement_is_no_regression(found: dict[str, Any]):
    drifting = found | {"times": [entry | {"times": [1.0] * 10 + [2.0] * 10} for entry in found["times"]]}
    assert check_timings(drifting, slowed(drifting, 1.5)).verdict != "regressed"


def test_timings_are_checked_by_the_command_as_runs_are(command, found: dict[str, Any], tmp_path: Path):
    for name, factor in (("a", 1.0), ("b", 2.0)):
        (tmp_path / f"{name}.json").write_text(json.dumps(slowed(steady(found), factor)))
    assert command("check", "a.json", "--baseline", "a.json")[0] == 0
    code, text, _ = command("check", "b.json", "--baseline", "a.json", "--junit", "found.xml")
    assert code == 1
    assert text.endswith("If the change is meant, accept it with\n  cp b.json a.json\n")
    assert 'name="eager update"' in (tmp_path / "found.xml").read_text()
    code, _, err = command("check", "b.json")
    assert code == 2
    assert "--baseline FILE.json" in err
    other = found | {"environment": found["environment"] | {"device": "cuda (another)"}}
    (tmp_path / "b.json").write_text(json.dumps(other))
    code, _, err = command("check", "b.json", "--baseline", "a.json")
    assert code == 2
    assert "different hardware" in err


def test_timings_with_nothing_in_common_are_nothing_to_compare(command, found: dict[str, Any], tmp_path: Path):
    (tmp_path / "a.json").write_text(json.dumps(found))
    (tmp_path / "b.json").write_text(json.dumps(found | {"times": []}))
    assert command("compare", "a.json", "b.json")[0] == 4


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["-s", "Lorenz", "-s", "Rossler"], 2, "time takes one system"),
        (["--batch", "0"], 2, "--batch must be at least 1"),
        (["--threads", "0"], 2, "--threads must be at least 1"),
        (["--seconds", "0"], 2, "--seconds must be a positive number"),
        (["--suite", "mnist", "-s", "MNIST[root=nowhere, download=false]"], 2, "are not in nowhere"),
    ],
)
def test_mistakes_are_told(command, arguments: list[str], code: int, said: str):
    found, _, err = command("time", *arguments)
    assert found == code
    assert said in err


def test_a_suite_of_reference_rows_is_nothing_to_time(command, tmp_path: Path):
    source = SUITE.replace("NeuralODE(width=4, training=SMALL), Persistence()", "Persistence(),")
    (tmp_path / "yardsticks.py").write_text(source)
    assert command("time", "--suite", "yardsticks.py")[0] == 4


def test_where_nothing_could_be_timed_the_reasons_are_told(command):
    code, _, err = command("time", "--suite", "tiny_suite.py", "--precision", "tf32", "-l", "TrainingMean")
    assert code == 4
    assert "only GPUs multiply matrices in tf32" in err


def test_a_quiet_command_prints_the_path_alone(command):
    arguments = ("time", "--suite", "tiny_suite.py", "--seconds", "0.001", "--batch", "4", "--device", "cpu", "--quiet")
    code, out, err = command(*arguments, "--variant", "eager")
    assert (code, out, err) == (0, "runs/timing/tiny-cpu/timing.md\n", "")


class FakeEvent:
    """An event of a GPU whose clock advances by a millisecond from event to event."""

    now = 0.0

    def __init__(self, enable_timing: bool) -> None:
        assert enable_timing

    def record(self) -> None:
        FakeEvent.now += 1.0
        self.at = FakeEvent.now

    def elapsed_time(self, end: "FakeEvent") -> float:
        return end.at - self.at


def test_on_a_gpu_its_own_events_tell_the_seconds(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "Event", FakeEvent)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device: None)
    times = stopwatch.time_parts([lambda: None, lambda: None], "cuda", 1e-4)
    assert all(second == pytest.approx(1e-3) for part in times for second in part)


def test_blocks_of_calls_on_a_gpu_are_timed_by_the_call(monkeypatch: pytest.MonkeyPatch):
    calls: list[int] = []
    times = stopwatch.time_call(lambda: calls.append(0), "cuda", 1e-3)
    assert len(calls) > len(times) > 0
    assert all(0 < second < 1e-3 for second in times)


def test_a_graph_is_warmed_up_captured_once_and_given_each_minibatch(monkeypatch: pytest.MonkeyPatch):
    class Graph:
        replays = 0

        def replay(self) -> None:
            Graph.replays += 1

    class Stream:
        def wait_stream(self, other: "Stream") -> None: ...

    for name, value in {"Stream": Stream, "current_stream": Stream, "CUDAGraph": Graph}.items():
        monkeypatch.setattr(torch.cuda, name, value)
    for name in ("stream", "graph"):
        monkeypatch.setattr(torch.cuda, name, nullcontext)
    seen: list[torch.Tensor] = []
    replay = cuda_graph.captured(seen.append, torch.zeros(3))
    replay(torch.ones(3))
    assert len(seen) == cuda_graph.WARM_UP + 1
    assert Graph.replays == 1
    assert all(torch.equal(given, torch.ones(3)) for given in seen)  # they are one tensor, which a replay fills


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_a_graph_does_what_the_eager_update_does(data: Dataset):
    one = timing.Timing(data.to("cuda"), "cuda", 1e-2, ("eager", "graph"), notify=lambda text: None)
    found = one.report([LEARNERS[0]], {})
    assert {entry["variant"] for entry in found["times"]} == {"eager", "graph"}
    assert all(cost["launches"] > 0 and 0 < cost["busy"] <= 1 for cost in found["costs"])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")  # that the compiler itself looks at
def test_the_compiled_update_computes_what_the_eager_one_does(data: Dataset, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.undo()
    updates = Updates.of(ResNet(width=4, training=SMALL), data)
    step, minibatch = updates.steps[0], updates.minibatches[0][0]
    torch.testing.assert_close(compiled(step.objective)(minibatch), step.objective(minibatch))
