"""Characters drawn by a simulated hand: which there are, how they lie, that they are the same everywhere."""

import hashlib
import unicodedata
from importlib import metadata

import numpy as np
import pytest
import torch

import fslviz
from fslviz import characters, data


@pytest.fixture(scope="module")
def found():
    return characters.files()


def drawn(found, name, count=20):
    return characters.draw(characters.strokes(found[name]), count, ord(name))


def test_scripts_are_there_and_no_character_twice(found):
    scripts = [unicodedata.name(name).split()[0] for name in found]
    counts = {script: scripts.count(script) for script in ("CJK", "HIRAGANA", "KATAKANA", "LATIN", "DIGIT")}
    assert counts == {"CJK": 6437, "HIRAGANA": 88, "KATAKANA": 93, "LATIN": 52, "DIGIT": 10}
    assert len({unicodedata.normalize("NFC", name) for name in found}) == len(found) == 6694
    assert list(found) == sorted(found)


def test_strokes_come_in_the_order_of_writing(found):
    (one,) = characters.strokes(found["一"])  # from left to right across the square
    assert one[0, 0] < -40
    assert one[-1, 0] > 40
    assert np.abs(one[:, 1]).max() < 5
    assert np.hypot(*np.diff(one, axis=0).T) == pytest.approx(characters.STEP, rel=0.02)
    assert [len(characters.strokes(found[name])) for name in "十口永"] == [2, 3, 5]


def test_a_corner_and_a_straight_line_are_where_their_path_says():
    assert characters._points("M 64.5,54.5 L 64.5,60.5") == pytest.approx(np.array([[10, 0], [10, 3], [10, 6]]))
    bent = characters._points("M54.5,54.5c0,30 30,30 30,0")
    assert bent[[0, -1]] == pytest.approx(np.array([[0, 0], [30, 0]]))
    assert bent[:, 1].max() == pytest.approx(22.5, abs=0.3)  # of a cubic: three quarters of its handles


def test_no_two_images_are_alike_and_all_are_the_character(found):
    images = {name: drawn(found, name) for name in "あ永木"}
    for some in images.values():
        assert len({image.tobytes() for image in some}) == len(some)
    flat = {name: some.reshape(20, -1) / 255 for name, some in images.items()}
    means = {name: some.mean(0) for name, some in flat.items()}
    right = [min(means, key=lambda n, z=z: np.square(z - means[n]).sum()) == name for name in flat for z in flat[name]]
    assert np.mean(right) > 0.9


def test_a_character_lies_in_the_middle_and_a_full_stop_is_small(found):
    for name in "あ永鬱":
        images = drawn(found, name).astype(float)
        rows, columns = (images.sum(axis) / images.sum((1, 2))[:, None] for axis in (2, 1))
        middles = np.stack([rows @ np.arange(28), columns @ np.arange(28)])
        assert np.abs(middles - 13.5).max() < 2.5
        sides = [np.ptp(np.argwhere(image > 0), axis=0).max() + 1 for image in images]
        assert all(18 <= side <= 18 + characters.PEN[1] + 2 for side in sides)
    dots = [np.ptp(np.argwhere(image > 0), axis=0).max() for image in drawn(found, ".")]
    assert max(dots) < 9


def test_ink_is_as_wide_as_the_pen():
    line = np.array([[[4.0, 14.0], [24.0, 14.0]]] * 2)
    codes = np.array([characters.curves.Path.MOVETO, characters.curves.Path.LINETO])
    thin, thick = characters._ink(line, codes, np.array([1.0, 3.0])).astype(float) / 255
    assert thin.sum(0)[10:18] == pytest.approx(1.0, abs=0.02)
    assert thick.sum(0)[10:18] == pytest.approx(3.0, abs=0.02)
    assert thick.sum(1).argmax() in (13, 14)


def test_the_hand_is_the_same_on_every_machine(found):
    names = list(found)[::97]
    ink = np.concatenate([drawn(found, name, 2) for name in names])
    assert ink.mean() == pytest.approx(47.0368, abs=1e-4)
    assert hashlib.sha256(ink.tobytes()).hexdigest()[:16] == "48ae6efab291c9ff"


def test_the_data_set_is_kept_and_drawn_anew_when_the_hand_changes(monkeypatch, tmp_path, found):
    monkeypatch.setenv("FSLVIZ_CACHE", str(tmp_path))
    few = {name: found[name] for name in "あ永7"}
    monkeypatch.setattr(characters, "files", lambda: few)
    times = []
    draw = characters.draw
    monkeypatch.setattr(characters, "draw", lambda *given: times.append(1) or draw(*given))
    first = fslviz.load("characters")
    assert (first.names, len(first.test_labels), len(first.train_labels)) == (("あ", "永", "7"), 60, 0)
    assert first.test_labels.tolist() == [0] * 20 + [1] * 20 + [2] * 20
    assert (fslviz.load("characters").test_images == first.test_images).all()
    assert len(times) == 3
    monkeypatch.setattr(data.sources, "meaning", lambda source: "another hand")
    fslviz.load("characters")
    assert len(times) == 6
    assert [path.name for path in tmp_path.iterdir()] == ["characters.npz"]


def test_characters_are_drawn_as_often_and_as_wildly_as_one_asks():
    calm, usual, wild = (data.draw_characters("永あA", 30, amplitude=a) for a in (0, 1, 2))
    assert (usual.names, len(usual.train_labels)) == (("永", "あ", "A"), 0)
    assert usual.test_labels.tolist() == [0] * 30 + [1] * 30 + [2] * 30
    spread = [d.test_images.reshape(3, 30, 784).std(1).mean() for d in (calm, usual, wild)]
    assert spread[0] < 0.7 * spread[1] < 0.7 * spread[2]
    others = data.draw_characters(["永", "あ", "A"], 30, seed=1)
    assert not torch.equal(others.test_images, usual.test_images)
    again = data.draw_characters(["か\u3099", "永", "永"], 30)  # each once, however it is typed
    assert again.names == ("が", "永")
    assert torch.equal(again.classes("永").test_images, usual.classes("永").test_images)


def test_the_data_set_is_twenty_of_each(monkeypatch, tmp_path, found):
    monkeypatch.setenv("FSLVIZ_CACHE", str(tmp_path))
    monkeypatch.setattr(characters, "files", lambda: {name: found[name] for name in "あ7"})
    assert torch.equal(fslviz.load("characters").test_images, data.draw_characters("あ7", 20).test_images)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"names": "永😀"}, "names must be characters that KanjiVG has, not \\['😀'\\]"),
        ({"names": ["永永"]}, "not \\['永永'\\]"),
        ({"names": "永", "count": 0}, "count must be a whole number from 1"),
        ({"names": "永", "amplitude": -1}, "amplitude must be a number from 0 to 10, not -1"),
        ({"names": "永", "seed": 0.5}, "seed must be a whole number"),
        ({"names": ""}, "names must be characters that KanjiVG has, not \\[\\]"),
        ({"names": [3]}, "not \\[3\\]"),
    ],
)
def test_what_can_not_be_drawn_is_named(given, message):
    with pytest.raises(ValueError, match=message):
        data.draw_characters(**({"count": 2} | given))


def test_an_interrupted_drawing_leaves_nothing(monkeypatch, tmp_path):
    monkeypatch.setenv("FSLVIZ_CACHE", str(tmp_path))

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(characters, "draw", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fslviz.load("characters")
    assert list(tmp_path.iterdir()) == []


def test_without_the_package_one_line_says_how_to_get_it(monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(characters.metadata, "files", missing)
    with pytest.raises(ImportError, match="the characters come with the package kanjivg: pip install kanjivg"):
        fslviz.load("characters")
