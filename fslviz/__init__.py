"""Metric learning to look at: losses, one training loop, and the embedding spaces that come of it."""

from fslviz.data import Data, load
from fslviz.evaluation import (
    all_pairs,
    bootstrap,
    centre_accuracy,
    eer,
    error_rates,
    knn_accuracy,
    tar_at,
    threshold_at,
)
from fslviz.plots import plot_det, plot_roc, plot_space, plot_spaces, plot_training
from fslviz.training import LOSSES, Run, train

__all__ = [
    "LOSSES",
    "Data",
    "Run",
    "all_pairs",
    "bootstrap",
    "centre_accuracy",
    "eer",
    "error_rates",
    "knn_accuracy",
    "load",
    "plot_det",
    "plot_roc",
    "plot_space",
    "plot_spaces",
    "plot_training",
    "tar_at",
    "threshold_at",
    "train",
]
