from __future__ import annotations

import base64
import re
import zlib
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.datter.context import Context
from plotter2.datter.figures import automatic, simulation
from plotter2.datter.figures.figure import Document, Figure, Panel
from plotter2.datter.pages import page, reel
from plotter2.errors import UsageError
from tests.unit.datter.kit import Bench

EVERYTHING = 1 << 40


def unwound(panel: Panel) -> Any:
    """What a page makes of the frames, by the words of `reel`: inflate, put bytes together, add up, scale."""
    motion = panel.motion
    assert motion is not None
    made = motion.reel
    assert made is not None
    size = motion.frames[0].size
    frames = []
    for chunk in made.chunks:
        planes = np.frombuffer(zlib.decompress(chunk), np.uint8).reshape(made.bits // 8, -1)
        whole = np.zeros(planes.shape[1], f"u{made.bits // 8}")
        for place, plane in enumerate(planes):
            whole |= plane.astype(whole.dtype) << np.array(8 * place, whole.dtype)
        frames.append(np.cumsum(whole.reshape(-1, size), axis=0, dtype=whole.dtype))
    assert all(len(one) == made.each for one in frames[:-1])
    coded = np.concatenate(frames)
    if made.bits == 32:
        return coded.view(np.float32).reshape(motion.frames.shape)
    none = (1 << made.bits) - 1
    parts = [
        np.where(part == none, np.nan, low + part * (high - low) / (none - 1))
        for part, (low, high) in zip(np.split(coded, len(made.ends), axis=1), made.ends, strict=True)
    ]
    return np.concatenate(parts, axis=1).reshape(motion.frames.shape)


def moving(frames: Any) -> Panel:
    (panel,) = automatic.panels_of(frames, visual="animation")
    return panel


@pytest.mark.req("r136", "r157")
@given(st.integers(0, 2**32 - 1), st.integers(2, 150), st.sampled_from([(3,), (2, 5)]))
def test_frames_that_are_few_come_back_exactly(seed: int, count: int, shape: tuple[int, ...]) -> None:
    frames = np.random.default_rng(seed).normal(size=(count, *shape)) * 1e5
    assert (unwound(reel.wound(moving(frames))) == frames.astype(np.float32)).all()


@given(st.integers(0, 2**32 - 1), st.sampled_from([(3,), (2, 5)]))
def test_more_frames_come_back_to_a_step_of_the_range(seed: int, shape: tuple[int, ...]) -> None:
    frames = np.random.default_rng(seed).normal(size=(80, *shape))
    frames[3, ..., 1] = np.nan
    panel = reel.wound(moving(frames), EVERYTHING, exact_bytes_max=0)
    found, step = unwound(panel), np.nanmax(frames) - np.nanmin(frames)
    assert (np.isnan(found) == np.isnan(frames)).all()
    assert np.nanmax(np.abs(found - frames)) <= 0.51 * step / 65_534
    assert panel.about["coding"]["bits"] == 16


def test_x_and_y_of_places_have_a_range_each(context: Context) -> None:
    assert not context.made
    states = np.stack([np.linspace(0, 1e6, 40), np.linspace(0, 1e-3, 40)], axis=1)[:, None, :]
    (panel,) = automatic.panels_of(simulation.simulate(states))
    found = unwound(reel.wound(panel, EVERYTHING, exact_bytes_max=0))
    assert np.abs(found[:, 1] - states[:, 0, 1]).max() < 1e-7


@pytest.mark.parametrize(("limit", "bits", "block"), [(60_000, 16, 1), (30_000, 8, 1), (8_000, 8, 2), (400, 8, 8)])
def test_images_become_coarser_until_the_page_is_small_enough(limit: int, bits: int, block: int) -> None:
    frames = np.broadcast_to(np.arange(4.0).repeat(5)[:, None, None], (20, 32, 36))
    frames = frames + np.random.default_rng(5).random((20, 32, 36))
    panel = reel.wound(moving(frames), limit, exact_bytes_max=0)
    coding = panel.about["coding"]
    assert (coding["bits"], coding["block"]) == (bits, block)
    assert coding["bytes"] <= limit
    motion = panel.motion
    assert motion is not None
    assert panel.layers[0].columns["image"].shape == motion.frames.shape[1:]
    np.testing.assert_allclose(motion.frames.mean(axis=(1, 2)), frames.mean(axis=(1, 2)), rtol=0.02)
    assert f"{coding['frame_bytes']:,} bytes a frame" in panel.notes[-1]


def test_a_curve_keeps_its_fineness_and_leaves_frames_out() -> None:
    panel = reel.wound(moving(np.random.default_rng(5).random((300, 100))), 15_000, exact_bytes_max=0)
    motion = panel.motion
    assert motion is not None
    coding = panel.about["coding"]
    kept = -(-300 // coding["every"])
    assert (coding["bits"], len(motion.frames), len(motion.labels)) == (16, kept, kept)
    assert f"one frame in {coding['every']} is kept" in panel.notes[-1]


def test_missing_cells_do_not_weigh_in_means() -> None:
    frames = np.ones((2, 5, 4))
    frames[:, 0, 0] = np.nan
    frames[:, 2:, 2:] = np.nan
    found = reel._blocks(frames, 2)
    assert found.shape == (2, 3, 2)
    assert set(found[np.isfinite(found)].tolist()) == {1.0}
    assert np.isnan(found[:, 2, 1]).all()


@pytest.mark.req("r136", "r157")
def test_five_thousand_frames_are_one_page_of_a_few_megabytes() -> None:
    place = np.arange(24)
    waves = np.sin(np.hypot(*np.meshgrid(place, place)) / 5 - np.arange(5_000)[:, None, None] / 40)
    document = reel.on_reel(Document("animation", "waves", (Figure("waves", (moving(waves),)),)))
    (panel,) = document.sections[0].panels
    coding = panel.about["coding"]
    assert coding["bytes"] / 5_000 == pytest.approx(coding["frame_bytes"], abs=1)
    written = page.page(document, "")
    assert len(written) < 4 / 3 * coding["bytes"] + 800_000 < 8_000_000
    about = msgspec.json.decode(re.findall(r'class="about">([^<]+)<', written)[0])
    lines = re.findall(r'class="frames">([^<]+)<', written)[0].split("\n")
    assert (about["count"], len(lines)) == (5_000, -(-5_000 // about["each"]))


@pytest.mark.req("r136", "r157")
def test_an_animation_needs_nothing_beside_it(bench: Bench) -> None:
    result = bench.run("import numpy as np\ndef task():\n    animateme(np.eye(4))\n")
    assert [one.kind for one in result.made] == ["animation"]  # Bokeh's script is no file of its own
    written = bench.page(result)
    assert "src=" not in written
    (packed,) = re.findall(r'id="bokeh">([^<]+)<', written)
    assert b"Bokeh" in zlib.decompress(base64.b64decode(packed))
    coding = bench.sidecar(result)["panels"][0]["coding"]
    assert coding == {
        "bits": 32,
        "block": 1,
        "every": 1,
        "bytes": coding["bytes"],
        "frame_bytes": coding["frame_bytes"],
    }


def test_a_page_of_frames_that_are_on_no_reel_is_refused() -> None:
    document = Document("animation", "a", (Figure("a", (moving(np.eye(3)),)),))
    with pytest.raises(UsageError, match="on a reel"):
        page.page(document, "")
    assert "data-motion" in page.page(reel.on_reel(document), "")
