"""Metric learning in pictures: losses, one training loop, and the embedding spaces that they learn."""

from fslviz.data import Data, load, load_folder
from fslviz.evaluation import (
    Pairs,
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
from fslviz.pictures import Standard, prepare
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
from fslviz.studies import measured, spread
from fslviz.training import train
from fslviz.widgets import door, margin_lab, move, progress

__all__ = [
    "LOSSES",
    "Data",
    "Explorer",
    "Gallery",
    "Pairs",
    "Run",
    "Standard",
    "all_pairs",
    "bootstrap",
    "centre_accuracy",
    "dir_at",
    "door",
    "eer",
    "episodes",
    "error_rates",
    "knn_accuracy",
    "load",
    "load_folder",
    "margin_lab",
    "measured",
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
    "prepare",
    "progress",
    "spread",
    "styled",
    "tar_at",
    "threshold_at",
    "train",
]
