"""The figure of all trials taken together: interquartile means, and chances of improving upon the best."""

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from results.figures.panels import Styles, intervals
from results.figures.style import NOTE, PAGE, drawing


def aggregate_figure(together: pd.DataFrame, styles: Styles) -> Figure:
    """Draw interquartile means beside the chance of improving upon the best, with 95 % intervals, a line a learner.

    Args:
        together: a row for each learner, the best first, with the columns of `report.aggregates.aggregated`.
        styles: of these learners, in any order.
    """
    ordered = {learner: styles[learner] for learner in together["learner"]}
    with drawing():
        figure = Figure(figsize=(PAGE, 0.87 + 0.17 * len(together)), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        intervals(left, together, ("low", "mean", "high"), ordered)
        intervals(right, together, ("chance_low", "chance", "chance_high"), ordered)
        left.set(xlabel="interquartile mean of\nVPT / longest", xlim=(0, None))
        right.set(xlabel="chance of predicting longer\nthan the topmost", xlim=(-0.03, 1.03))
        right.axvline(0.5, color=NOTE, linewidth=0.6, zorder=1)
        for axes in (left, right):
            axes.xaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
        sns.despine(figure)
    return figure
