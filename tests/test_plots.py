import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from mpl_toolkits.axes_grid1.anchored_artists import AnchoredSizeBar
from nbclient import NotebookClient

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


def test_marked_images_are_ringed_in_every_space(run):
    for ax in fslviz.plot_spaces({"a": run, "b": run}, marked=[3, 5]).axes:
        assert np.array_equal(np.stack(ax.lines[-1].get_data(), 1), run.places()[0][[3, 5]])


def test_runs_of_one_loss_stay_apart(run):
    assert [ax.get_title() for ax in fslviz.plot_spaces([run, run]).axes] == ["contrastive", "contrastive"]


def test_every_figure_is_whole_and_clear(run):
    rates = evaluation.error_rates(evaluation.all_pairs(run.query()))
    named = {"run": run}
    figures = [
        fslviz.plot_space(run),
        fslviz.plot_spaces(named),
        fslviz.plot_training(named),
        fslviz.plot_roc({"run": rates}),
        fslviz.plot_det({"run": rates}),
        fslviz.plot_lines({"a": ([1, 2], [3, 4]), "b": ([1, 2], [4, 3])}, xlabel="x"),
        fslviz.plot_scores({"one": evaluation.all_pairs(run.query())}, threshold=0.5),
        fslviz.plot_images(fslviz.load("mnist").test_images[:12], ["title"] * 12),
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


def test_scores_say_both_errors_at_the_threshold(run):
    pairs = evaluation.all_pairs(run.query())
    title = fslviz.plot_scores({"one": pairs}, threshold=0.0).axes[0].get_title()
    assert title == "one\nFMR 0.0%, FNMR 100.0%"
    title = fslviz.plot_scores({"one": pairs}, threshold=1e9).axes[0].get_title()
    assert title == "one\nFMR 100.0%, FNMR 0.0%"


def test_places_may_stand_in_for_a_run(run):
    figure = fslviz.plot_spaces({"map": run.places()})
    assert sum(len(line.get_xdata()) for line in figure.axes[0].lines) == 300
    with pytest.raises(ValueError, match=r"not of shapes \[\(300, 3\)\]"):
        fslviz.plot_spaces({"map": (np.zeros((300, 3)), run.places()[1])})


def test_what_takes_no_memory_is_drawn_at_the_least_that_is_told_apart():
    rows = [
        {"side": side, "loss": "softmax", "axis": axis, "size": size, "seconds": size / 1e5, "peak_mb": 0.0}
        for side in ("fslviz", "pytorch-metric-learning")
        for axis in ("batch", "dimensions")
        for size in (64, 128)
    ]
    figure = plots.plot_growth(rows)
    figure.canvas.draw()
    assert {y for ax in figure.axes[2:] for line in ax.lines for y in line.get_ydata()} == {1.0}


def test_every_way_of_the_benchmark_has_a_colour_of_its_own():
    contenders = [{"name": f"way {i}", "curve": [(0.0, 0, 0.0), (1.0, 1, 0.5 + i / 20)]} for i in range(8)]
    figure = plots.plot_benchmark(contenders)
    assert len({line.get_color() for line in figure.axes[0].lines[:8]}) == 8


def test_classes_by_name_many_and_in_tensors():
    rng = np.random.default_rng(0)
    z, named = rng.normal(size=(60, 2)), np.array(["Ada", "Grace"])[rng.integers(2, size=60)]
    assert [t.get_text() for t in fslviz.plot_spaces({"people": (z, named)}).axes[0].texts] == ["Ada", "Grace"]
    (ax,) = fslviz.plot_spaces({"thirty": (torch.from_numpy(z), torch.arange(60) % 30)}).axes
    looks = {(line.get_color(), line.get_marker()) for line in ax.lines}
    assert len(looks) == 30, "two classes look alike"
    (ax,) = fslviz.plot_spaces({"some": (z, rng.choice([3, 7], 60))}).axes
    assert [line.get_color() for line in ax.lines] == [plots.COLOURS[3], plots.COLOURS[7]]


def test_a_perfect_separation_shows_on_a_det():
    perfect = evaluation.error_rates(evaluation.Pairs.of(distance=[0, 1, 2, 3], genuine=[1, 1, 0, 0]))
    (ax,) = fslviz.plot_det({"perfect": perfect, "also": perfect}).axes
    assert [line.get_marker() for line in ax.lines[:2]] == ["o", "o"]
    assert "perfect: no errors" in [t.get_text() for t in ax.get_legend().get_texts()]


def test_what_has_no_picture_is_refused():
    with pytest.raises(ValueError, match=r"runs must be 2-D.*\(4, 64\)"):
        fslviz.plot_spaces({"deep": (np.zeros((4, 64)), np.arange(4))})
    with pytest.raises(ValueError, match="deep must be finite"):
        fslviz.plot_spaces({"deep": (np.full((4, 2), np.nan), np.arange(4))})


def test_a_readers_own_plot_is_shown_after_one_of_ours():
    cells = [
        "import numpy as np, fslviz\nfslviz.plot_spaces({'a': (np.eye(2), np.arange(2))})",
        "import matplotlib.pyplot as plt\nplt.plot([1, 2, 3])",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    for cell in notebook.cells:
        assert any("image/png" in output.get("data", {}) for output in cell.outputs)


def test_images_of_any_kind_and_none():
    assert len(fslviz.plot_images(np.zeros((3, 1, 28, 28), np.float32)).axes) == 3
    assert len(fslviz.plot_images(torch.rand(3, 1, 28, 28), ink=False).axes) == 3
    with pytest.raises(ValueError, match=r"images must be \(N, 1, H, W\), N at least 1, not \(0, 1, 28, 28\)"):
        fslviz.plot_images(torch.zeros(0, 1, 28, 28))
    with pytest.raises(ValueError, match="pairs must be one set of pairs or more"):
        fslviz.plot_scores({})


def test_a_name_stands_beside_its_class_and_not_on_it():
    rng, labels = np.random.default_rng(0), np.arange(3000) % 3
    centres = np.array([[0, 0], [8, 0], [0, 8]])
    (ax,) = fslviz.plot_spaces({"islands": (centres[labels] + rng.normal(size=(3000, 2)), labels)}).axes
    for label, text in enumerate(ax.texts):
        away = np.linalg.norm(centres - text.get_position(), axis=1)
        assert away.argmin() == label
        assert away[label] > 1.5, "it covers the island"


def test_a_bar_shows_the_unit_where_distances_are_lengths(run):
    (ax,) = fslviz.plot_spaces({"run": run}).axes
    (bar,) = [artist for artist in ax.artists if isinstance(artist, AnchoredSizeBar)]
    length = float(bar.txt_label.get_text())
    assert bar.size_bar.get_children()[0].get_width() == pytest.approx(length)
    assert length <= np.ptp(ax.get_xlim()) / 3 < 2.5 * length
    assert not fslviz.plot_spaces({"map": run.places()}).axes[0].artists


def test_one_loss_one_colour_whatever_stands_beside_it():
    line = ([0, 1], [0.1, 0.2], [0.01, 0.02])
    first = fslviz.plot_lines({"other": line, "triplet": line}).axes[0].lines[1]
    second = fslviz.plot_lines({"triplet, 64-D": line}, percent="y").axes[0]
    assert first.get_color() == second.lines[0].get_color() == plots.OF["triplet"]
    assert len(set(plots.OF.values())) == len(plots.OF)
    (band,) = second.collections
    assert band.get_paths()[0].get_extents().get_points()[:, 1] == pytest.approx([0.09, 0.22])
    assert second.yaxis.get_major_formatter()(0.025, 0) == "2.5%"


def test_text_keeps_its_share_of_a_figure_however_wide():
    line = {"a": ([1, 2], [3, 4])}
    sizes = {}
    for name, figure in {
        "narrow": fslviz.plot_lines(line, title="t"),
        "wide": fslviz.plot_spaces({n: (np.eye(3)[:, :2], np.arange(3)) for n in "abcd"}, columns=4),
    }.items():
        sizes[name] = figure.axes[0].title.get_fontsize() / figure.get_figwidth()
    assert sizes["wide"] == pytest.approx(sizes["narrow"], rel=0.05)


def test_a_space_may_hold_nothing():
    empty = np.zeros((0, 2)), np.zeros(0)
    figure = fslviz.plot_spaces({"some": (np.eye(2), [0, 1]), "none": empty})
    assert [ax.get_title() for ax in figure.axes] == ["some", "none"]
    assert not figure.axes[1].lines
