"""Who is better than whom: ranks with critical differences, performance profiles, and wins; or nothing is resolved."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64

from results.formatting import listed
from results.statistics.intervals import LEVEL
from results.statistics.saturation import saturated, saturation_note
from results.statistics.scores import drop_uncertainty_of_truth, losses, scores
from results.statistics.significance import critical_difference, friedman, holm, signed_ranks, welch
from results.statistics.trials import CELL, column, rows
from results.store.manifest import ERROR, LEADING_METRIC

MOMENTS = ["mean", "std", "count"]
PREDICTION_TIMES = ("vpt", "vpt_strict")
FEWEST_SYSTEMS = 2  # below which ranks over systems say nothing


@dataclass(frozen=True)
class Ranking:
    """Learners by mean rank over independent blocks, best first, with what can and what cannot be told apart.

    `p_values` are those of each pair, corrected for their number; `difference` is the least difference of mean ranks
    that is resolved (NaN where the test has none); `failed` counts the trials at the worst rank, `left_out` names
    learners that some block says nothing about, and `note` tells the systems on which the metric itself says nothing.
    """

    mean_ranks: pd.Series
    p_values: pd.DataFrame
    blocks: int
    statistic: float
    p: float
    difference: float = np.nan
    failed: Mapping[str, int] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    note: str = ""

    @property
    def learners(self) -> list[str]:
        return [str(learner) for learner in self.mean_ranks.index]

    def resolved(self, one: str, other: str) -> bool:
        """Whether the blocks suffice to say which of the two is better."""
        return self.p <= LEVEL and bool(self.p_values.loc[one, other] <= LEVEL)

    @property
    def groups(self) -> list[tuple[str, ...]]:
        """The largest sets of neighbours in the order of which no two can be told apart."""
        names, found = self.learners, []
        for start in range(len(names)):
            stop = start + 1
            while stop < len(names) and not any(self.resolved(one, names[stop]) for one in names[start:stop]):
                stop += 1
            if stop - start > 1 and (not found or stop > found[-1][1]):
                found.append((start, stop))
        return [tuple(names[start:stop]) for start, stop in found]

    @property
    def places(self) -> dict[str, int]:
        """One more than the number of learners that are better for sure: a place may be shared."""
        names = self.learners
        return {one: 1 + sum(self.resolved(other, one) for other in names[:place]) for place, one in enumerate(names)}

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The pairs that are resolved, the better one first."""
        return [(one, other) for one, other in combinations(self.learners, 2) if self.resolved(one, other)]

    @property
    def statement(self) -> str:
        """What the ranks resolve, and what is too close for so few blocks, in one or two sentences."""
        floor = f"{self.blocks} systems and {len(self.learners)} learners"
        if self.difference == self.difference:
            limit = f"With {floor}, mean ranks closer than {self.difference:.2f} are unresolved."
        else:
            least = 2.0 ** (1 - self.blocks)
            limit = f"With {floor}, no p-value of a pair is below {least:.2g} before Holm's correction."
        limit = f"{self.note} {limit}".strip()
        if not self.pairs:
            return f"{limit} No learner is resolved from another."
        return f"{limit} Resolved: {_ahead(self.pairs)}."

    def beyond(self, other: "Ranking") -> str:
        """Which pairs these tests resolve and those of the other ranking of the same learners do not, in a sentence."""
        further = [pair for pair in self.pairs if not other.resolved(*pair)]
        count, all_pairs = len(self.pairs), len(list(combinations(self.learners, 2)))
        return f"{count} of {all_pairs} pairs" + (f", further ones being {_ahead(further)}" if further else "")


def _ahead(pairs: Sequence[tuple[str, str]]) -> str:
    """Pairs of a better and a worse learner, in words."""
    behind: dict[tuple[str, ...], list[str]] = {}
    for one in dict.fromkeys(one for one, _ in pairs):
        behind.setdefault(tuple(other for first, other in pairs if first == one), []).append(one)
    return "; ".join(f"{listed(ahead)} ahead of {listed(others)}" for others, ahead in behind.items())


def ranking(frame: pd.DataFrame, learners: Sequence[str], metric: str = "vpt", test: str = "nemenyi") -> Ranking:
    """Rank learners over systems by their median loss over seeds; a system is one block, however many seeds it has.

    The seeds of one system share its data and its peculiarities: as blocks of their own they would feign resolution.
    Systems that `saturated` names are ranked by error; without one they are no block.
    """
    table, left_out = _complete(frame, learners, metric)
    trials = losses(frame, metric)
    failed = trials.loc[trials["failed"] & trials["learner"].isin(list(learners))].groupby("learner").size().to_dict()
    note = saturation_note(frame, learners) if metric == LEADING_METRIC else ""
    return replace(rank_table(table, test), failed=failed, left_out=tuple(left_out), note=note)


def rank_table(table: pd.DataFrame, test: str = "nemenyi") -> Ranking:
    """Rank the columns of a complete table of losses, a row for each block, by Friedman's test and one of pairs.

    `test` of pairs: "nemenyi", by mean ranks, or "wilcoxon", signed ranks with Holm's correction. No pair is resolved
    unless Friedman's test, in the form of Iman and Davenport, finds a difference at all.
    Demsar, "Statistical comparisons of classifiers over multiple data sets", JMLR 2006.
    """
    order = table.rank(axis="columns").mean().sort_values(kind="stable")
    table = table.reindex(columns=order.index)
    blocks, count = table.shape
    statistic, p = friedman(table)
    tests: dict[str, Callable[..., tuple[np.ndarray, float]]] = {"nemenyi": _nemenyi, "wilcoxon": _wilcoxon_holm}
    if test not in tests:
        raise ValueError(f"no test of pairs is called {test!r}: choose from {', '.join(tests)}")
    p_pairs, difference = tests[test](table) if blocks > 1 and count > 1 else (np.ones((count, count)), np.nan)
    pairs = pd.DataFrame(p_pairs, index=order.index, columns=order.index)
    return Ranking(order, pairs, blocks, statistic, p, difference)


def ranks(frame: pd.DataFrame, learners: Sequence[str], metric: str = "vpt") -> pd.DataFrame:
    """Rank of each of `learners` (rows) on each system (columns) by the median over seeds; 1 is best, ties share one.

    A trial that failed in the horizon of the metric counts as worse than any value; learners whose medians are such
    trials share the mean of the worst ranks, as others that tie. NaN where a cell is missing or was skipped. Systems
    that `saturated` names are ranked by error.
    """
    return _medians(frame, learners, metric).T.rank(axis="index")


def mean_rank(frame: pd.DataFrame, learners: Sequence[str], metric: str = "vpt") -> pd.Series:
    """Mean over systems of each learner's rank among those that all systems have; NaN of others, as in `ranking`."""
    table, _ = _complete(frame, learners, metric)
    return table.rank(axis="columns").mean().reindex(list(learners))


def win_matrix(table: pd.DataFrame) -> pd.DataFrame:
    """Share of the paired trials (rows) in which the learner of the row beats that of the column; ties count half.

    Trials that either of the two lacks do not count; NaN on the diagonal.
    """
    losses = table.to_numpy(dtype=float)
    one, other = losses[:, :, None], losses[:, None, :]
    wins = np.where(np.isnan(one) | np.isnan(other), np.nan, (one < other) + 0.5 * (one == other))
    paired = (~np.isnan(wins)).sum(axis=0)
    shares = np.divide(np.nansum(wins, axis=0), paired, out=np.full(paired.shape, np.nan), where=paired > 0)
    np.fill_diagonal(shares, np.nan)
    return pd.DataFrame(shares, index=table.columns, columns=table.columns)


def paired_losses(frame: pd.DataFrame, learners: Sequence[str], metric: str = "vpt") -> pd.DataFrame:
    """Losses of the learners (columns) in each trial (rows: system and seed)."""
    table = losses(frame, metric).pivot_table("loss", ["system", "seed"], "learner", aggfunc="median", sort=False)
    return table.reindex(columns=list(learners)).astype(float)


def performance_profile(table: pd.DataFrame, ratios: Sequence[float]) -> pd.DataFrame:
    """Share of the trials that a learner finishes within each ratio of the best loss: `learner`, `ratio`, `share`.

    `table` holds positive losses, a column for each learner; a failed trial is never within any ratio.
    Dolan and More, "Benchmarking optimization software with performance profiles", Mathematical Programming 2002.
    """
    if (table <= 0).any(axis=None):
        raise ValueError("a performance profile needs positive losses: of a metric that is better when higher, 1/value")
    relative = table.div(table.replace(np.inf, np.nan).min(axis="columns"), axis="index")
    limits = np.asarray(ratios, dtype=float) * (1 + 1e-12)
    within = {
        learner: np.searchsorted(np.sort(relative[learner].fillna(np.inf)), limits, side="right") / len(relative)
        for learner in table.columns
    }
    return pd.DataFrame(
        {
            "learner": np.repeat(list(within), len(limits)),
            "ratio": np.tile(np.asarray(ratios, dtype=float), len(within)),
            "share": np.concatenate([*within.values(), np.empty(0)]),
        }
    )


def _medians(frame: pd.DataFrame, learners: Sequence[str], metric: str) -> pd.DataFrame:
    """Median loss over the seeds, by system (rows) and learner (columns); of the error where a system is saturated."""
    systems = list(rows(frame, metric=metric)["system"].unique())

    def medians(metric: str) -> pd.DataFrame:
        table = losses(frame, metric).groupby(CELL, sort=False)["loss"].median().unstack("learner")
        return pd.DataFrame(table).reindex(index=systems, columns=list(learners)).astype(float)

    table = medians(metric)
    full = saturated(frame, learners) if metric == LEADING_METRIC else []
    if full:
        table.loc[full] = medians(ERROR).loc[full]
    return table


def _complete(frame: pd.DataFrame, learners: Sequence[str], metric: str) -> tuple[pd.DataFrame, list[str]]:
    """Median losses of the learners that every system says something about, and the names of the others."""
    table = _medians(frame, learners, metric).dropna(axis="index", how="all")
    left_out = [learner for learner in learners if column(table, learner).isna().any()]
    return table.drop(columns=left_out), left_out


def _nemenyi(table: pd.DataFrame) -> tuple[np.ndarray, float]:
    from scikit_posthocs import posthoc_nemenyi_friedman  # which takes long to load, and is asked for here alone

    ranked = table.rank(axis="columns")  # which stands for the table: failures are infinite
    return posthoc_nemenyi_friedman(ranked).to_numpy(), critical_difference(table.shape[1], len(table))


def _wilcoxon_holm(table: pd.DataFrame) -> tuple[np.ndarray, float]:
    count = table.shape[1]
    values, pairs = table.to_numpy(dtype=float), list(combinations(range(count), 2))
    corrected = holm(np.array([signed_ranks(values[:, one], values[:, other]) for one, other in pairs]))
    p_values = np.ones((count, count))
    for (one, other), p in zip(pairs, corrected, strict=True):
        p_values[one, other] = p_values[other, one] = p
    return p_values, np.nan


def level_by_seeds(frame: pd.DataFrame, learners: Sequence[str]) -> dict[str, set[str]]:
    """For each metric the learners on one system whose trials do not resolve them from the best, and the best itself.

    The best has the best median, and others are behind it whose means are worse by Welch's test of log-ratios; of
    differences for prediction times, which grow like the logarithm of a small error as it is. Holm's correction at 5 %
    is that for all pairs, since which one is the best is chosen by the trials themselves. No metric where a seed alone
    cannot resolve anything; learners with a trial that failed in the horizon of a metric are level with nobody in it.
    """
    failed = pd.MultiIndex.from_frame(frame.loc[frame["status"] != "ok", ["metric", "learner"]])
    scored = scores(drop_uncertainty_of_truth(frame))
    scored["score"] = scored["score"].mask(scored["metric"].isin(PREDICTION_TIMES), -scored["value"])
    found = scored.groupby(["metric", "learner"], sort=False)["score"].agg(["median", *MOMENTS])
    found = found.loc[(found["count"] > 1) & ~found.index.isin(failed)].reset_index(level="learner")
    found = found.loc[found["learner"].isin(list(learners))]
    level = {}
    for metric, mine in found.groupby(level="metric", sort=False):
        ordered = mine.sort_values("median", kind="stable")
        if len(ordered) > 1:
            behind = _behind_the_first(ordered[MOMENTS].to_numpy(dtype=float))
            level[str(metric)] = set(map(str, ordered.loc[~behind, "learner"]))
    return level


def _behind_the_first(moments: Float64[np.ndarray, "learners 3"]) -> Bool[np.ndarray, " learners"]:
    """Which are worse than the first by their mean, standard deviation and number of scores."""
    one, other = np.triu_indices(len(moments), 1)  # the first's pairs come first
    p_values = holm(welch(moments[one].T, moments[other].T))[: len(moments) - 1]
    return np.append(False, (p_values <= LEVEL) & (moments[1:, 0] > moments[0, 0]))


def level_by_ranks(frame: pd.DataFrame, metric: str, learners: Sequence[str]) -> set[str]:
    """The learners that ranks over all systems do not resolve from the one with the lowest mean rank, and that one."""
    if len(losses(frame, metric)["system"].unique()) < FEWEST_SYSTEMS:
        return set()
    ranks = ranking(frame, learners, metric)
    names = ranks.learners
    return {name for name in names if not ranks.resolved(names[0], name)}
