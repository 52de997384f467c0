import types
import warnings
from dataclasses import replace

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
import torch
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from mpl_toolkits.axes_grid1.anchored_artists import AnchoredSizeBar
from nbclient import NotebookClient
from scipy.stats import norm

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


def test_marked_images_have_a_star_and_rings_in_every_space(run):
    for ax in fslviz.plot_spaces({"a": run, "b": run}, marked=[3, 5]).axes:
        rings, star = ax.lines[-2:]
        assert np.array_equal(np.stack(rings.get_data(), 1), run.places()[0][[5]])
        assert np.array_equal(np.stack(star.get_data(), 1), run.places()[0][[3]])
        assert (star.get_marker(), rings.get_marker()) == ("*", "o")


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
    with pytest.raises(ValueError, match="runs must be one or more runs in 2-D"):
        fslviz.plot_spaces({})


def test_scores_say_both_errors_at_the_threshold(run):
    pairs = evaluation.all_pairs(run.query())
    title = fslviz.plot_scores({"one": pairs}, threshold=0.0).axes[0].get_title()
    assert title == "one\nFMR 0.0%, FNMR 100.0%"
    title = fslviz.plot_scores({"one": pairs}, threshold=1e9).axes[0].get_title()
    assert title == "one\nFMR 100.0%, FNMR 0.0%"
    pairs = evaluation.Pairs.of(distance=[1, 2, 3, 4, 5, 6], genuine=[1, 1, 0, 1, 1, 0])
    assert fslviz.plot_scores({"a": pairs}, threshold=2).axes[0].get_title() == "a\nFMR 0.0%, FNMR 50.0%"
    assert fslviz.plot_scores({"a": pairs}, threshold=4).axes[0].get_title() == "a\nFMR 50.0%, FNMR 25.0%"


def test_what_a_curve_shows_is_on_the_axis_that_names_it():
    rates = evaluation.error_rates(evaluation.Pairs.of(distance=range(9), genuine=[1, 1, 0, 1, 0, 1, 0, 0, 0]))
    (ax,) = fslviz.plot_roc({"a": rates}).axes
    assert [ax.get_xlabel()[:3], ax.get_ylabel()[:3]] == ["FMR", "TAR"]
    assert np.array_equal(ax.lines[0].get_data(), [rates.fmr, 1 - rates.fnmr])
    (ax,) = fslviz.plot_det({"a": rates}).axes
    assert [ax.get_xlabel(), ax.get_ylabel()] == ["FMR", "FNMR"]
    x, y = (norm.cdf(v) for v in ax.lines[0].get_data())
    both = (rates.fmr > 0) & (rates.fnmr > 0)
    assert np.allclose([x, y], [rates.fmr[both], rates.fnmr[both]])
    for axis in (ax.xaxis, ax.yaxis):
        assert [f"{100 * norm.cdf(v):.3g}%" for v in axis.get_ticklocs()] == [
            t.get_text() for t in axis.get_ticklabels()
        ]
    past = types.SimpleNamespace(seen=np.arange(10) * 500, losses=np.arange(10) + 1.0, accuracies=np.arange(10) / 10)
    left, right = fslviz.plot_training({"a": past}).axes
    assert [left.get_ylabel(), right.get_ylabel()] == ["loss", "1-NN accuracy (batch)"]
    assert np.array_equal(left.lines[0].get_data(), [past.seen / 1000, past.losses])
    assert np.array_equal(right.lines[0].get_data(), [past.seen / 1000, past.accuracies])


def test_ink_is_drawn_and_paper_is_not():
    image = torch.tensor([[[[-0.4, 2.8], [1.2, -0.4]]]])
    (shown,) = fslviz.plot_images(image).axes[0].images
    assert np.allclose(shown.get_array()[..., 3], [[0, 1], [0.5, 0]])
    (shown,) = fslviz.plot_images(image, ink=False).axes[0].images
    assert shown.cmap(shown.norm(2.8))[:3] > shown.cmap(shown.norm(-0.4))[:3]


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
    (ax,) = fslviz.plot_spaces({"people": (z, named)}).axes
    for line, name in zip(ax.lines, ("Ada", "Grace"), strict=True):
        assert np.array_equal(np.stack(line.get_data(), 1), z[named == name])


def test_a_perfect_separation_shows_on_a_det():
    perfect = evaluation.error_rates(evaluation.Pairs.of(distance=[0, 1, 2, 3], genuine=[1, 1, 0, 0]))
    (ax,) = fslviz.plot_det({"perfect": perfect, "also": perfect}).axes
    assert [line.get_marker() for line in ax.lines[:2]] == ["o", "o"]
    assert "perfect: no errors" in [t.get_text() for t in ax.get_legend().get_texts()]


def test_what_has_no_picture_is_refused():
    with pytest.raises(ValueError, match=r"runs must be one or more runs in 2-D.*\(4, 64\)"):
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
    angles = replace(run, loss=fslviz.LOSSES["normface"]())
    assert not fslviz.plot_spaces({"angles": angles}).axes[0].artists


def test_one_loss_one_colour_whatever_stands_beside_it():
    line = ([0, 1], [0.1, 0.2], [0.01, 0.02])
    first = fslviz.plot_lines({"other": line, "triplet": line}).axes[0].lines[1]
    second = fslviz.plot_lines({"triplet, 64-D": line}, percent="y").axes[0]
    assert first.get_color() == second.lines[0].get_color() == plots.LOSS_COLOURS["triplet"]
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


def drawn(figure):
    """A figure as it is drawn on a page, with every warning an error but those of one library for another."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", DeprecationWarning)
        figure.canvas.draw()
    return figure


NAMES = ["_base", "$A_$", "from $5 to $10", "x_$y$"]


def test_names_are_text_wherever_they_stand():
    pairs = evaluation.Pairs.of(distance=[0, 1, 2, 3], genuine=[1, 0, 1, 0])
    rates = evaluation.error_rates(pairs)
    perfect = evaluation.error_rates(evaluation.Pairs.of(distance=[0, 1, 2, 3], genuine=[1, 1, 0, 0]))
    ten = np.arange(1, 11)
    past = types.SimpleNamespace(seen=ten, losses=1 / ten, accuracies=ten / 10)
    z = np.random.default_rng(0).normal(size=(40, 2))
    ways = [{"name": name, "curve": [(0.0, 0, 0.0), (1.0, 1, 0.9), (2.0, 2, 0.95)]} for name in NAMES]

    legends = {
        "training": fslviz.plot_training(dict.fromkeys(NAMES, past)).axes[1],
        "lines": fslviz.plot_lines(dict.fromkeys(NAMES, (ten, ten))).axes[0],
        "roc": fslviz.plot_roc(dict.fromkeys(NAMES, rates)).axes[0],
        "det": fslviz.plot_det(dict.fromkeys(NAMES, rates)).axes[0],
        "benchmark": plots.plot_benchmark(ways).axes[0],
    }
    for kind, ax in legends.items():
        texts = drawn(ax.figure).axes[0] and ax.get_legend().get_texts()
        assert [t.get_text() for t in texts] == NAMES, kind
        assert not any(t.get_parse_math() for t in texts), kind
    texts = drawn(fslviz.plot_det(dict.fromkeys(NAMES, perfect))).axes[0].get_legend().get_texts()
    assert [t.get_text() for t in texts] == [f"{name}: no errors" for name in NAMES]

    for figure in (
        fslviz.plot_spaces({name: (z, np.array(NAMES)[np.arange(40) % 4]) for name in NAMES}),
        fslviz.plot_scores(dict.fromkeys(NAMES, pairs)),
        fslviz.plot_images(torch.rand(4, 1, 8, 8), NAMES),
    ):
        titles = [ax.title for ax in drawn(figure).axes[:4]]
        assert [t.get_text() for t in titles] == NAMES
        assert not any(t.get_parse_math() for ax in figure.axes for t in [ax.title, *ax.texts])

    ax = drawn(fslviz.plot_lines({"a": (NAMES, [1, 2, 3, 4])}, title="$t_$", xlabel="_$x_$", ylabel="$y_$")).axes[0]
    ticks = ax.get_xticklabels()
    assert [t.get_text() for t in ticks] == NAMES
    assert not any(t.get_parse_math() for t in [*ticks, ax.title, ax.xaxis.label, ax.yaxis.label])


def test_the_powers_of_ten_of_a_logarithmic_axis_are_written_as_powers():
    ax = drawn(fslviz.plot_lines({"a": ([1, 10, 1000], [1e-3, 2, 1e4])}, xscale="log", yscale="log")).axes[0]
    assert all(t.get_parse_math() for t in ax.get_xticklabels() if t.get_text())


def test_a_name_may_be_a_number():
    ax = fslviz.plot_lines({1: ([0, 1], [0, 1]), 2: ([0, 1], [1, 0])}).axes[0]
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["1", "2"]


@pytest.mark.parametrize("shift", [0, -0.1, -5])
@pytest.mark.parametrize("scale", [1, 1000])
def test_every_score_has_a_bin_wherever_it_lies(shift, scale):
    distance = scale * (np.array([0.0, 0.1, 0.2, 0.7, 0.8, 9.0]) + shift)
    ax = fslviz.plot_scores({"x": evaluation.Pairs.of(genuine=[1, 1, 1, 0, 0, 0], distance=distance)}).axes[0]
    for chosen, bars in zip((distance[:3], distance[3:]), ax.containers, strict=True):
        assert sum(b.get_height() * b.get_width() for b in bars) == pytest.approx(1)
        edges = [(b.get_x(), b.get_x() + b.get_width()) for b in bars if b.get_height()]
        assert all(any(low - 1e-9 <= d <= high + 1e-9 for low, high in edges) for d in chosen)
    edges = [b.get_x() for b in ax.containers[0]]
    assert (edges[0], ax.containers[0][-1].get_x() + ax.containers[0][-1].get_width()) == pytest.approx(
        (distance.min(), distance.max())
    )


def test_scores_that_are_all_one_are_drawn():
    ax = fslviz.plot_scores({"x": evaluation.Pairs.of(genuine=[1, 1, 0, 0], similarity=[0.9] * 4)}).axes[0]
    assert [sum(b.get_height() * b.get_width() for b in bars) for bars in ax.containers] == pytest.approx([1, 1])


def test_of_many_points_a_fair_part_is_drawn():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(20), 300)
    z = rng.normal(size=(20, 2))[labels] + 0.1 * rng.normal(size=(6000, 2))
    figure = fslviz.plot_spaces({"a": (z, labels), "b": (z + 1, labels)}, limit=1000, marked=[5999])
    for ax, shift in zip(figure.axes, (0, 1), strict=True):
        *classes, _, star = ax.lines
        counts = [len(line.get_xdata()) for line in classes]
        assert sum(counts) == 1000
        assert len(counts) == 20
        assert 25 < min(counts) <= max(counts) < 80  # 50 expected, give or take 7
        assert np.array_equal(np.stack(star.get_data(), 1), z[[5999]] + shift)
    one, two = (np.concatenate([np.stack(line.get_data(), 1) for line in ax.lines]) for ax in figure.axes)
    assert one == pytest.approx(two - 1), "not the same images in both"
    assert (
        sum(len(line.get_xdata()) for line in fslviz.plot_spaces({"a": (z, labels)}, limit=9000).axes[0].lines) == 6000
    )


def test_what_is_shown_of_a_run_is_drawn_from_all_of_it(run):
    """Its classes in order: the first of them would be of one class."""
    order = run.data.test_labels.argsort(stable=True)
    data = replace(run.data, test_images=run.data.test_images[order], test_labels=run.data.test_labels[order])
    (ax,) = fslviz.plot_space(replace(run, data=data, _known={}), limit=100).axes
    assert [len(line.get_xdata()) > 0 for line in ax.lines] == [True] * 10
    assert sum(len(line.get_xdata()) for line in ax.lines) == 100


def test_what_a_space_can_not_show_is_named(run):
    z = np.zeros((4, 2)), np.arange(4)
    for options in ({"limit": 0}, {"limit": -1}, {"columns": 0}, {"marked": [4]}, {"marked": [-1]}):
        ((name, _),) = options.items()
        with pytest.raises(ValueError, match=f"{name} must be a number from"):
            fslviz.plot_spaces({"a": z}, **options)


@pytest.fixture
def sign():
    """A Chinese sign that no font here draws, and what installs one that does."""
    sign = "\u738b"
    known = list(font_manager.fontManager.ttflist)
    ours = [f for f in known if "Last Resort" in f.name or not plots._drawn(f.fname, {sign})]
    font_manager.fontManager.ttflist[:] = ours
    plots._fonts.cache_clear()

    def install(folder):
        font = FontBuilder(1000, isTTF=True)
        font.setupGlyphOrder([".notdef", "king"])
        font.setupCharacterMap({ord(sign): "king"})
        pen = TTGlyphPen(None)
        pen.moveTo((0, 0)), pen.lineTo((900, 0)), pen.lineTo((900, 900)), pen.closePath()
        font.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "king": pen.glyph()})
        font.setupHorizontalMetrics({".notdef": (1000, 0), "king": (1000, 0)})
        font.setupHorizontalHeader(ascent=900, descent=-100)
        font.setupNameTable({"familyName": "Kings", "styleName": "Regular"})
        font.setupOS2(), font.setupPost()
        font.save(folder / "kings.ttf")
        font_manager.fontManager.addfont(folder / "kings.ttf")
        plots._fonts.cache_clear()

    yield sign, install
    font_manager.fontManager.ttflist[:] = known
    plots._fonts.cache_clear()


def test_a_sign_that_the_font_lacks_is_drawn_from_one_that_has_it(sign, tmp_path):
    name, install = sign
    install(tmp_path)
    figure = drawn(fslviz.plot_spaces({name: (np.eye(2), [name, "a"])}))  # no warning, ours or Matplotlib's
    (ax,) = figure.axes
    assert ax.title.get_fontfamily()[-1] == "Kings"
    assert [t.get_fontfamily()[-1] for t in ax.texts] == ["sans-serif", "Kings"]


def test_a_sign_that_no_font_has_is_told_once(sign):
    name, _ = sign
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", UserWarning)
        figure = fslviz.plot_spaces({n: (np.eye(2), [name, name]) for n in (name, f"{name}2")})
        figure.canvas.draw()
        figure.canvas.draw()
        plt.figure().text(0, 0, "\u674e").figure.canvas.draw()  # a sign of the reader's own
    plt.close()
    ours, *theirs = (str(w.message) for w in told if w.category is UserWarning)
    assert ours == f"no installed font has {name}: they are drawn as boxes"
    assert theirs  # Matplotlib tells of a sign once or more often
    assert all(line.startswith("Glyph 26446 ") for line in theirs)


@pytest.mark.parametrize(("place", "apart"), [(0, 0), (7, 0), (-1e6, 0), (7, 1e-13)])
def test_a_space_that_has_collapsed_is_drawn(place, apart):
    places = np.full((4, 2), place) + apart * np.arange(4)[:, None]
    (ax,) = drawn(fslviz.plot_spaces({"all at one": (places, np.arange(4))})).axes
    assert ax.get_xlim()[0] < place < ax.get_xlim()[1]
    assert len({t.get_position() for t in ax.texts}) == 4
