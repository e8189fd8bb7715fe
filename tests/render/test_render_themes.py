"""Themes: the same drawing in other colours."""

import re
from itertools import pairwise

import pytest
from render_helpers import elements, lesson, run, staged

from dagnet.errors import UnknownNameError
from dagnet.render import style, to_dot, to_svg
from dagnet.render.drawing import Kind
from dagnet.render.style import DARK

HEX = re.compile(r"#[0-9A-Fa-f]{6}")


def luminance(colour: str) -> float:
    """Return how bright a colour is (WCAG 2.2, relative luminance)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def colours_used() -> set[str]:
    pictures = [
        to_dot(run(staged()), overlay="zeros", backward=True, title="t"),
        to_dot(lesson(l2=0.1)),
        to_dot(staged(), against=lesson()),
    ]
    return {colour.upper() for text in pictures for colour in HEX.findall(text)}


def test_every_colour_has_one_in_the_dark() -> None:
    assert colours_used() <= set(DARK)
    assert len(set(DARK.values())) == len(DARK)


def test_the_dark_theme_has_dark_colours_only() -> None:
    dark = to_dot(run(staged()), overlay="zeros", backward=True, theme="dark")
    assert set(HEX.findall(dark)) <= set(DARK.values())
    assert f'bgcolor="{DARK[style.PAPER]}"' in dark


def test_a_theme_changes_colours_only() -> None:
    light, dark = (HEX.sub("#", to_dot(staged(), theme=theme)) for theme in ("light", "dark"))
    assert light == dark


def test_an_adaptive_picture_is_the_light_one_with_rules_for_the_dark() -> None:
    light, auto = to_svg(staged(), theme="light"), to_svg(staged(), theme="auto")
    (sheet,) = re.findall(r"<style>.*?</style>", auto)
    assert auto.replace(sheet, "").replace(' class="dagnet"', "", 1) == light
    rules = dict(re.findall(r'\.dagnet \[fill="(#\w+)" i\]\{fill:(#\w+)\}', sheet))
    assert rules == DARK
    assert "prefers-color-scheme: dark" in sheet
    for colour in re.findall(r'(?:fill|stroke)="([^"]+)"', light):
        assert colour.upper() in DARK or colour in ("none", "transparent"), colour
    assert elements(auto, "node") == elements(light, "node")


def test_an_adaptive_dot_text_is_light() -> None:
    assert to_dot(lesson(), theme="auto") == to_dot(lesson())


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_texts_can_be_read_on_every_fill(theme: str) -> None:
    def seen(colour: str) -> str:
        return DARK[colour] if theme == "dark" else colour

    fills = [look.fill for look in style.LOOKS.values() if look.shape != "point"]
    fills += [border.fill for border in style.BORDERS.values()]
    fills += [fill for fill, _, _ in style.CHANGES.values()]
    for fill in (style.NOT_FINITE, *style.SCALE[: style.DEEP]):
        assert contrast(seen(fill), seen(style.INK)) >= 4.5, fill
    for fill in fills:
        for ink in (style.INK, style.PLAIN_INK):
            assert contrast(seen(fill), seen(ink)) >= 4.5, (fill, ink)
    for fill in style.SCALE[style.DEEP :]:
        assert contrast(seen(fill), seen(style.DEEP_INK)) >= 4.5, fill
    kinds: tuple[Kind, ...] = ("value", "gradient")
    papers = [style.PAPER, *(border.fill for border in style.BORDERS.values())]
    for kind in kinds:
        for paper in papers:
            assert contrast(seen(paper), seen(style.STROKES[kind].ink)) >= 4.5, (kind, paper)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_borders_can_be_seen(theme: str) -> None:
    lines = [(look.border, style.PAPER) for look in style.LOOKS.values()]
    lines += [(border.border, style.PAPER) for border in style.BORDERS.values()]
    lines += [(line, style.PAPER) for _, line, _ in style.CHANGES.values()]
    lines += [(stroke.color, style.PAPER) for stroke in style.STROKES.values()]
    for one, other in lines:
        pair = (DARK[one], DARK[other]) if theme == "dark" else (one, other)
        assert contrast(*pair) >= 3, pair


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_scale_runs_one_way_in_grey(theme: str) -> None:
    scale = [DARK[c] if theme == "dark" else c for c in style.SCALE]
    bright = [luminance(colour) for colour in scale]
    assert bright == sorted(bright, reverse=theme == "light")
    assert all(abs(a - b) > 0.004 for a, b in pairwise(bright))


def test_an_unknown_theme_is_an_error() -> None:
    with pytest.raises(UnknownNameError, match="no theme named 'drak'; did you mean 'dark'"):
        to_dot(lesson(), theme="drak")  # type: ignore[arg-type]
