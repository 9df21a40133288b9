"""The regression gate: is a run as good as its baseline, beyond noise, tolerance and the number of looks?"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from results.formatting import listed, status
from results.gate.baseline import Baseline, depends_on_machine, differences, environment, protocol
from results.statistics.intervals import LEVEL, SEED
from results.statistics.ranking import holm
from results.statistics.scores import GROUND_TRUTH, MEASUREMENT, paired_scores
from results.statistics.trials import CELL, column, groups
from results.store.errors import IncomparableError
from results.store.run import Run

CheckVerdict = Literal["pass", "regressed", "inconclusive"]
RESAMPLES = 4000  # at least; more where many findings share the level
SHARPNESS = 4  # how much smaller than its share of the level the smallest p-value must be
NEAR = 1e-5  # of a logarithm: what rounding may change in a run that is the same
YARDSTICK = 0.04  # of a metric's tolerance is left to a reference row, which is not trained
ALARM = 0.01  # chance that a re-run with other seeds exceeds the noise bound of any learner and metric


@dataclass(frozen=True)
class Finding:
    """One learner by one metric: how its values changed from those of the baseline, over all paired trials.

    `effect` is the mean over systems of the mean log-ratio, positive where worse, with the ends of its bootstrap
    interval; `p` is corrected for the number of findings, and `limit` is the tolerance or, if greater, the noise.
    """

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
        return "inconclusive" if worst > self.limit else "pass"

    def __str__(self) -> str:
        kind = "changed" if self.two_sided else "worse" if self.effect > 0 else "better"
        size = 100 * np.expm1(abs(self.effect))
        return (
            f"{self.learner}: {self.metric} is {size:.3g} % {kind} over {self.pairs} {self.counted} "
            f"(log-ratio {self.effect:+.3g} [{self.low:+.3g}, {self.high:+.3g}], limit {self.limit:.3g})"
        )


@dataclass(frozen=True)
class Check:
    """What a run says beside its baseline.

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


def check(baseline: Baseline, run: Run, times: bool = False) -> Check:
    """Hold a run to its baseline; `times` decides by times too, which only two runs of one job can be held to.

    Coverage comes first: what is missing or newly fails is a regression, whatever the rest. Raises IncomparableError
    where times of different machines would be compared.
    """
    here, there = environment(run), baseline.content["environment"]
    changed = [name for name in there if here.get(name) != there[name]]
    if times and changed:
        raise IncomparableError(f"times are never compared across environments, and these differ in {listed(changed)}")
    differing = differences(protocol(run), {name: baseline.content[name] for name in protocol(run)})
    frame, before = run.frame(), baseline.frame()
    if not differing and not len(before.merge(frame[["system", "learner"]])):
        differing = ["no cell of the baseline is in the run"]
    if differing:
        return Check((), (), (), (), tuple(differing))
    lost = _lost(before, frame, list(run.manifest["seeds"]))
    decided, advisory = _findings(baseline, before, frame, times)
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
    return Check(tuple(lost), tuple(decided), tuple(advisory), tuple(notes))


def _lost(before: pd.DataFrame, after: pd.DataFrame, seeds: list[int]) -> list[str]:
    """What the baseline measured and the run did not, in sentences: a missing cell, a new failure, a lost metric."""
    trial, found = [*CELL, "seed"], []
    before = before.loc[before["seed"].isin(seeds)]
    fine = before.loc[before["status"] == "ok", trial].drop_duplicates()
    now = fine.merge(after.drop_duplicates(trial)[[*trial, "status", "reason"]], "left", trial)
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


def _findings(
    baseline: Baseline, before: pd.DataFrame, after: pd.DataFrame, times: bool
) -> tuple[list[Finding], list[Finding]]:
    """The findings that decide, each corrected for the number of all of them, and those that are shown only."""
    pairs, noise, about = paired_scores(before, after), baseline.noise(), baseline.metrics
    machine = {name for name, one in about.items() if depends_on_machine(name, one["unit"])} if not times else set()
    compared = [
        (learner, metric, group, learner in baseline.references)
        for (learner, metric), group in groups(pairs, "learner", "metric")
        if not (about[metric]["better"] == "truth" and learner == GROUND_TRUTH)
    ]
    deciding = [group for group in compared if group[1] not in machine]
    found = []
    for chosen in (deciding, [group for group in compared if group[1] in machine]):
        effects = corrected([_effect(group, two_sided, len(chosen)) for *_, group, two_sided in chosen])
        found.append(
            [
                Finding(
                    learner,
                    metric,
                    **one,
                    tolerance=about[metric]["tolerance"] * (YARDSTICK if two_sided else 1),
                    noise=_noise_bound(noise, group, len(chosen)),
                    pairs=len(group),
                    two_sided=two_sided,
                    equal=bool((group["ratio"].abs() <= NEAR).all()),
                )
                for (learner, metric, group, two_sided), one in zip(chosen, effects, strict=True)
            ]
        )
    return found[0], found[1]


def resamples(tests: int, least: int) -> int:
    """How many bootstrap samples resolve p-values well below the level's share of one of so many tests."""
    return max(least, round(SHARPNESS * tests / LEVEL))


def effect(value: float, drawn: np.ndarray, tests: int, two_sided: bool = False) -> dict[str, float]:
    """A log-ratio with the ends of its interval at the level of one of so many tests, and its p-value, uncorrected.

    `drawn` are its values in bootstrap samples.
    """
    below, above = np.mean(drawn <= 0), np.mean(drawn >= 0)
    p = min(1.0, 2 * min(below, above)) if two_sided else below
    low, high = np.quantile(drawn, [LEVEL / 2 / tests, 1 - LEVEL / 2 / tests])
    return {"effect": float(value), "low": float(low), "high": float(high), "p": max(float(p), 1 / (len(drawn) + 1))}


def corrected(effects: list[dict[str, float]]) -> list[dict[str, float]]:
    """The same effects, with p-values corrected for their number."""
    p_values = holm(np.array([one["p"] for one in effects]))
    return [{**one, "p": float(p)} for one, p in zip(effects, p_values, strict=True)]


def _effect(group: pd.DataFrame, two_sided: bool, tests: int) -> dict[str, float]:
    """Mean over systems of the mean log-ratio, its bootstrap interval at the level of so many tests, and its p-value.

    Seeds are drawn anew within each system, one fewer than there are (see `statistics.stratified`). Few pairs bound the
    interval by their own extremes: what then keeps false alarms rare is that the effect must exceed the noise.
    """
    rng = np.random.default_rng(SEED)
    count = resamples(tests, RESAMPLES)
    systems = [column(trials, "ratio").to_numpy() for _, trials in group.groupby("system", sort=False)]
    drawn = [one[rng.integers(0, len(one), (count, max(len(one) - 1, 1)))].mean(axis=1) for one in systems]
    return effect(float(np.mean([one.mean() for one in systems])), np.mean(drawn, axis=0), tests, two_sided)


def _noise_bound(noise: pd.DataFrame, group: pd.DataFrame, tests: int) -> float:
    """The effect that a re-run with other seeds exceeds with a chance of ALARM over so many tests; 0 without re-runs.

    The difference of two trials has twice the variance of one. Systems are not equally noisy: `repeats` says how well
    the sum of their variances is known. Satterthwaite, "An approximate distribution of estimates of variance
    components", Biometrics Bulletin 1946.
    """
    learner, metric = group["learner"].iloc[0], group["metric"].iloc[0]
    systems = group.groupby("system", sort=False).size()
    about = [noise.loc[(system, learner, metric)] for system in systems.index]
    variances = np.array([2 * one["noise"] ** 2 / pairs for one, pairs in zip(about, systems, strict=True)])
    repeats = np.array([one["repeats"] for one in about])
    noisy = (variances > 0) & (repeats > 0)
    if not noisy.any():
        return 0.0
    freedom = variances[noisy].sum() ** 2 / (variances[noisy] ** 2 / repeats[noisy]).sum()
    return float(stats.t.ppf(1 - ALARM / tests, freedom) * np.sqrt(variances.sum()) / len(systems))
