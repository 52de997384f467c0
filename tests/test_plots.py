import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb

import fslviz
from fslviz import evaluation, plots
from fslviz.data import Data


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    digits = fslviz.load("mnist")
    few = Data(
        digits.train_images[:500], digits.train_labels[:500], digits.test_images[:300], digits.test_labels[:300], "few"
    )
    return fslviz.train("contrastive", few, images=256, batch=64, device="cpu", cached=False)


def test_spaces_share_a_row_classes_and_colours(run):
    figure = fslviz.plot_spaces({"a": run, "b": run, "c": run}, columns=3)
    assert [ax.get_title() for ax in figure.axes] == ["a", "b", "c"]
    assert len({round(ax.get_position().y0, 3) for ax in figure.axes}) == 1
    colours = [[line.get_color() for line in ax.lines] for ax in figure.axes]
    assert colours[0] == colours[1] == colours[2] == plots.COLOURS
    shown = sum(len(line.get_xdata()) for line in figure.axes[0].lines)
    assert shown == 300
    assert sorted(t.get_text() for t in figure.axes[0].texts) == [str(c) for c in range(10)]


def test_runs_of_one_loss_stay_apart(run):
    assert [ax.get_title() for ax in fslviz.plot_spaces([run, run]).axes] == ["contrastive", "contrastive"]


def test_every_figure_is_whole_and_clear(run):
    rates = evaluation.error_rates(evaluation.all_pairs(run.probes))
    named = {"run": run}
    figures = [
        fslviz.plot_space(run),
        fslviz.plot_spaces(named),
        fslviz.plot_training(named),
        fslviz.plot_roc({"run": rates}),
        fslviz.plot_det({"run": rates}),
    ]
    for figure in figures:
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        pixels = np.asarray(canvas.buffer_rgba())
        assert pixels[0, 0, 3] == 0  # no ground of its own: it takes the page's
        border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
        assert border[:, 3].max() == 0, "something is cut off at the edge"
        assert pixels[..., 3].max() == 255
    assert plt.get_fignums() == []


def luminance(colour):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


@pytest.mark.parametrize("ground", ["white", "#121212"])  # the theme's two
def test_text_is_legible_in_both_themes(ground):
    low, high = sorted([luminance(ground), luminance(plots.INK)])
    assert (high + 0.05) / (low + 0.05) > 4


def test_bad_input_is_named(run):
    with pytest.raises(ValueError, match="runs must be 2-D and at least one"):
        fslviz.plot_spaces({})
