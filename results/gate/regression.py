"""The regression gate: is a run as good as its baseline, beyond noise, tolerance and the number of looks?"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf, isnan, sqrt
from typing import Literal

import numpy as np
import pandas as pd

from results.formatting import listed, status
from results.gate.baseline import Baseline, depends_on_machine, differences, environment, protocol
from results.statistics.intervals import LEVEL
from results.statistics.means import Mean, mean_of_seeds, mean_over
from results.statistics.scores import GROUND_TRUTH, MEASUREMENT, paired_scores
from results.statistics.significance import holm
from results.statistics.trials import ALL_SYSTEMS, CELL, MEASURED, column, endings, groups
from results.store.errors import IncomparableError
from results.store.run import Run

CheckVerdict = Literal["pass", "regressed", "inconclusive"]
NEAR = 1e-5  # of a logarithm: what rounding may change in a run that is the same
YARDSTICK = 0.04  # of a metric's tolerance is left to a reference row, which is not trained
ALARM = 0.01  # chance that any finding of a re-run with other seeds exceeds its noise


@dataclass(frozen=True)
class Finding:
    """One learner by one metric, on one system or on all: how its values changed from those of the baseline.

    `effect` is the log-ratio, positive where worse, the mean over paired seeds, and over systems where it is of all of
    them, with the ends of an interval that holds it 95 times of a hundred: the narrower of two of 97.5 %, that by the
    paired seeds alone and that by the noise, too.
    `p` is corrected for the number of findings. `noise` is the effect that noise alone exceeds with a chance of ALARM
    in any of all findings: what is smaller cannot be seen.
    """

    system: str
    learner: str
    metric: str
    effect: float
    low: float
    high: float
    p: float
    tolerance: float
    noise: float
    pairs: int
    two_sided: bool  # of a yardstick, any change is one for the worse
    equal: bool
    counted: str = "paired trials"  # what there are so many `pairs` of

    @property
    def limit(self) -> float:
        return max(self.tolerance, self.noise)

    @property
    def verdict(self) -> CheckVerdict:
        harm, worst = (abs(self.effect), max(-self.low, self.high)) if self.two_sided else (self.effect, self.high)
        if self.equal:
            return "pass"
        if harm > self.limit and self.p <= LEVEL:
            return "regressed"
        return "pass" if worst <= self.tolerance else "inconclusive"

    def __str__(self) -> str:
        kind = "changed" if self.two_sided else "worse" if self.effect > 0 else "better"
        size = 100 * np.expm1(abs(self.effect))
        place = f" on {self.system}" if self.system else ""
        return (
            f"{self.learner}{place}: {self.metric} is {size:.3g} % {kind} over {self.pairs} {self.counted} "
            f"(log-ratio {self.effect:+.3g} [{self.low:+.3g}, {self.high:+.3g}], limit {self.limit:.3g})"
        )


@dataclass(frozen=True)
class GateResult:
    """The outcome of holding a run to its baseline.

    `lost` are cells and values that the baseline has and the run has not, each in a sentence; `findings` decide,
    `advisory` ones (times and memory of the process) are shown only; `differing` says why nothing can be compared.
    """

    lost: tuple[str, ...]
    findings: tuple[Finding, ...]
    advisory: tuple[Finding, ...]
    notes: tuple[str, ...]
    differing: tuple[str, ...] = ()

    @property
    def comparable(self) -> bool:
        return not self.differing and bool(self.findings or self.lost)

    @cached_property
    def verdict(self) -> CheckVerdict:
        found = {finding.verdict for finding in self.findings}
        if self.lost or "regressed" in found:
            return "regressed"
        return "inconclusive" if "inconclusive" in found else "pass"

    def of(self, verdict: CheckVerdict) -> list[Finding]:
        return [finding for finding in self.findings if finding.verdict == verdict]


def check(baseline: Baseline, run: Run, times: bool = False) -> GateResult:
    """Hold a run to its baseline; `times` decides by times too, which only two runs of one job can be held to.

    Coverage comes first: what is missing or newly fails is a regression, whatever the rest. Raises IncomparableError
    where times of different machines would be compared.
    """
    here, there = environment(run), baseline.content["environment"]
    changed = [name for name in there if here.get(name) != there[name]]
    if times and changed:
        raise IncomparableError(f"times are never compared across environments, and these differ in {listed(changed)}")
    differing = differences(protocol(run), baseline.content)
    frame, before = run.frame(), baseline.frame()
    if not differing and not len(before.merge(frame[["system", "learner"]])):
        differing = ["no cell of the baseline is in the run"]
    if differing:
        return GateResult((), (), (), (), tuple(differing))
    lost = _lost(before, frame, list(run.manifest["seeds"]))
    changes = _changes(baseline, paired_scores(before, frame))
    units = {name: one["unit"] for name, one in baseline.metrics.items()}
    decides = {name: times or not depends_on_machine(name, unit) for name, unit in units.items()}
    decided = _findings(baseline, [one for one in changes if decides[one.metric]])
    advisory = _findings(baseline, [one for one in changes if not decides[one.metric]])
    notes = [f"the environments differ in {listed(changed)}: rounding may differ"] if changed else []
    unequal = sum(not finding.equal for finding in decided)
    if unequal and not changed:
        notes.append(f"same environment, but {unequal} of {len(decided)} findings are not the same to rounding")
    new, old = (dict.fromkeys(zip(each["system"], each["learner"], strict=True)) for each in (frame, before))
    notes += [
        f"{learner} on {system} is not in the baseline" for system, learner in new if (system, learner) not in old
    ]
    seeds = set(before["seed"])
    if missing := len(seeds.difference(run.manifest["seeds"])):
        notes.append(f"{missing} of the baseline's {len(seeds)} seeds were not asked for")
    return GateResult(tuple(lost), decided, advisory, tuple(notes))


def _lost(before: pd.DataFrame, after: pd.DataFrame, seeds: list[int]) -> list[str]:
    """What the baseline measured and the run did not, in sentences: a missing cell, a new failure, a lost metric."""
    trial, found = [*CELL, "seed"], []
    before = before.loc[before["seed"].isin(seeds)]
    fine = before.loc[before["status"] == "ok", trial].drop_duplicates()
    now = fine.merge(endings(after)[[*trial, "status", "reason"]], "left", trial)
    for (system, learner), group in groups(now, *CELL):
        absent = group.loc[group["status"].isna(), "seed"]
        if len(absent):
            which = "" if len(absent) == len(group) else f" with seed {listed(map(str, absent))}"
            found.append(f"{learner} on {system}{which} is missing")
        for row in group.dropna(subset="status").query("status != 'ok'").to_dict("records"):
            reason = f" ({row['reason']})" if row["reason"] else ""
            found.append(f"{learner} on {system} with seed {row['seed']} newly ends as {status(row['status'])}{reason}")
    had, has = (
        pd.MultiIndex.from_frame(pd.DataFrame(each.dropna(subset="value")[MEASUREMENT])) for each in (before, after)
    )
    gone = had.difference(has, sort=False)
    told = gone.droplevel("metric").isin(pd.MultiIndex.from_frame(now.loc[now["status"] != "ok", trial]))
    named = dict.fromkeys((metric, learner, system) for system, learner, _, metric in gone[~told])
    return found + [f"{metric} of {learner} on {system} has no value any more" for metric, learner, system in named]


def visible_effects(baseline: Baseline) -> pd.DataFrame:
    """The least loss that a check with the baseline's seeds would call a regression: `effect`, a log-ratio.

    A row for each system, learner and metric that decides; infinite where a single trial tells nothing of the noise.
    """
    trials = pd.Series(baseline.frame().dropna(subset="value").groupby(MEASURED, sort=False).size())
    found = baseline.noise().join(trials.to_frame("seeds"), how="inner").reset_index()
    trained = ~found["learner"].isin(baseline.references)
    decides = np.array(
        [not depends_on_machine(name, baseline.metrics[name]["unit"]) for name in column(found, "metric")]
    )
    found = found.loc[trained & decides]
    level = ALARM / max(int((found["noise"] > 0).sum()), 1)
    effects = [
        max(
            baseline.metrics[metric]["tolerance"],
            Mean(0.0, 2 * noise**2 / seeds if repeats else inf, repeats).visible(level),
        )
        for metric, noise, repeats, seeds in found[["metric", "noise", "repeats", "seeds"]].itertuples(index=False)
    ]
    return found[MEASURED].assign(effect=effects)


@dataclass(frozen=True)
class _Change:
    """How one learner changed by one metric, on one system or on all: see `Finding`."""

    system: str
    learner: str
    metric: str
    mean: Mean
    paired: Mean  # without what is known of the noise: exact where a seed gives nearly the same again
    pairs: int
    two_sided: bool
    equal: bool


def _changes(baseline: Baseline, pairs: pd.DataFrame) -> list[_Change]:
    """The change of each learner and metric, system by system, and over all of them where there are several.

    The difference of two trials has twice the variance of one. A yardstick is not trained: its one trial is exact.
    """
    noise, found = baseline.noise(), []
    for (learner, metric), group in groups(pairs, "learner", "metric"):
        yardstick = learner in baseline.references
        if baseline.metrics[metric]["better"] == "truth" and learner == GROUND_TRUTH:
            continue
        own = []
        for (system,), trials in groups(group, "system"):
            ratios, known = column(trials, "ratio").to_numpy(), noise.loc[(system, learner, metric)]
            mean = mean_of_seeds(ratios, sqrt(2) * known["noise"], int(known["repeats"]))
            if yardstick and not mean.freedom:
                mean = Mean(mean.value, 0.0, inf)
            equal = bool((np.abs(ratios) <= NEAR).all())
            own.append(_Change(system, learner, metric, mean, mean_of_seeds(ratios), len(ratios), yardstick, equal))
        found += own
        if len(own) > 1:
            means = mean_over([one.mean for one in own]), mean_over([one.paired for one in own])
            equal = all(one.equal for one in own)
            found.append(_Change(ALL_SYSTEMS, learner, metric, *means, len(group), yardstick, equal))
    return found


def _findings(baseline: Baseline, changes: Sequence[_Change]) -> tuple[Finding, ...]:
    """What the changes say, with p-values by Holm for all that are not the same to rounding.

    That over all systems is told where it shows a loss that is too thin to be seen on any one of them.
    """
    unequal = [one for one in changes if not one.equal]
    corrected = dict(zip(unequal, holm(np.array([one.mean.p_value(one.two_sided) for one in unequal])), strict=True))
    found = []
    for one in changes:
        both = one.mean.interval(LEVEL / 2), one.paired.interval(LEVEL / 2)
        ends = min(both, key=lambda found: (isnan(found.low), found.high - found.low))
        found.append(
            Finding(
                one.system,
                one.learner,
                one.metric,
                effect=one.mean.value,
                low=ends.low,
                high=ends.high,
                p=float(corrected.get(one, 1.0)),
                tolerance=baseline.metrics[one.metric]["tolerance"] * (YARDSTICK if one.two_sided else 1),
                noise=one.mean.visible(ALARM / max(len(unequal), 1) / (1 + one.two_sided)),
                pairs=one.pairs,
                two_sided=one.two_sided,
                equal=one.equal,
            )
        )
    seen = {(one.learner, one.metric) for one in found if one.verdict == "regressed" and one.system != ALL_SYSTEMS}
    return tuple(
        one
        for one in found
        if one.system != ALL_SYSTEMS or (one.verdict == "regressed" and (one.learner, one.metric) not in seen)
    )
