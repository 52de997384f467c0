"""Metric learning to look at: losses, one training loop, and the embedding spaces that come of it."""

from fslviz.data import Data, load
from fslviz.evaluation import (
    all_pairs,
    bootstrap,
    centre_accuracy,
    dir_at,
    eer,
    episodes,
    error_rates,
    knn_accuracy,
    merits,
    tar_at,
    threshold_at,
)
from fslviz.explorer import Explorer
from fslviz.gallery import Gallery
from fslviz.plots import (
    plot_det,
    plot_images,
    plot_lines,
    plot_roc,
    plot_scores,
    plot_space,
    plot_spaces,
    plot_training,
    styled,
)
from fslviz.runs import LOSSES, Run
from fslviz.training import train
from fslviz.widgets import margin_lab, move, progress

__all__ = [
    "LOSSES",
    "Data",
    "Explorer",
    "Gallery",
    "Run",
    "all_pairs",
    "bootstrap",
    "centre_accuracy",
    "dir_at",
    "eer",
    "episodes",
    "error_rates",
    "knn_accuracy",
    "load",
    "margin_lab",
    "merits",
    "move",
    "plot_det",
    "plot_images",
    "plot_lines",
    "plot_roc",
    "plot_scores",
    "plot_space",
    "plot_spaces",
    "plot_training",
    "progress",
    "styled",
    "tar_at",
    "threshold_at",
    "train",
]
