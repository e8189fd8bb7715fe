"""Running a layout engine: a system's Graphviz, or the one that comes as a Python package."""

import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

from dagnet.errors import ArgumentError, DrawingError, MissingDependencyError

#: Executables in the order of preference, and the formats that each one writes.
FORMATS = {
    "dot": frozenset({"svg", "png", "pdf"}),
    "graphviz-pure": frozenset({"svg", "png"}),
}

#: Seconds after which a layout is given up.
TIMEOUT = 600

#: Dots per inch of a picture made of pixels; with fewer than the least, no text can be read.
RESOLUTION, LEAST_RESOLUTION = 192, 48

#: Pixels of a picture: an engine takes some eight bytes of memory for each.
MOST_PIXELS = 100_000_000

#: What to do about a drawing that is too large.
ADVICE = (
    "fold=True draws at most some 300 boxes, fold=1, 2, ... opens so many levels of scopes and "
    "repeats; a .dot file and dn.draw_text hold any number of boxes"
)

#: What engines write into SVG for Helvetica, and what leads viewers to a font of its widths.
_FONT_OF_ENGINE = b'font-family="Helvetica,sans-Serif"'
_FONT_OF_VIEWER = b'font-family="Helvetica,Arial,Liberation Sans,Arimo,sans-serif"'


@dataclass(frozen=True)
class Engine:
    """A layout engine found on this machine."""

    name: str
    path: str

    @property
    def has_fonts(self) -> bool:
        """Whether it measures and draws texts with the fonts of the machine."""
        return self.name == "dot"

    def run(self, source: str, format: str) -> bytes:
        """Lay out a DOT text and return the picture.

        Raises
        ------
        ArgumentError
            If this engine does not write the format.
        DrawingError
            If it fails, takes too long, or the drawing is too large for a picture of pixels.
        """
        if format not in FORMATS[self.name]:
            raise ArgumentError(
                f"{self.name} cannot write .{format}, only "
                f"{', '.join('.' + f for f in sorted(FORMATS[self.name]))}; install Graphviz "
                "itself, whose command is dot (apt install graphviz, brew install graphviz, or "
                "https://graphviz.org/download)"
            )
        command = [self.path, "-Kdot", f"-T{format}"]
        if format == "png":
            command.append(f"-Gdpi={_resolution(self.run(source, 'svg')):g}")
        try:
            done = subprocess.run(
                command, input=source.encode(), capture_output=True, timeout=TIMEOUT, check=False
            )
        except subprocess.TimeoutExpired:
            raise DrawingError(
                f"{self.name} did not lay out the drawing in {TIMEOUT} seconds: it has too many "
                f"boxes; {ADVICE}"
            ) from None
        except OSError as error:
            raise DrawingError(f"{self.path} cannot be run: {error}") from error
        if done.returncode != 0 or not done.stdout:
            raise DrawingError(
                f"{self.name} failed ({self.path}, exit code {done.returncode}): "
                + (done.stderr.decode(errors="replace").strip() or "it said nothing")
            )
        return done.stdout.replace(_FONT_OF_ENGINE, _FONT_OF_VIEWER)


def _resolution(svg: bytes) -> float:
    """Return the dots per inch of a picture, given as .svg, that keep it within `MOST_PIXELS`."""
    size = re.search(rb'<svg width="([0-9.]+)pt" height="([0-9.]+)pt"', svg)
    if size is None:
        return RESOLUTION
    width, height = (float(points) / 72 for points in size.groups())
    resolution = min(RESOLUTION, sqrt(MOST_PIXELS / (width * height)))
    if resolution < LEAST_RESOLUTION:
        raise DrawingError(
            f"the drawing is {width:,.0f} by {height:,.0f} inches large: no text could be read in "
            f"a .png of {MOST_PIXELS:,} pixels; draw it into .svg. Or {ADVICE}"
        )
    return resolution


def find_engine() -> Engine:
    """Return the best layout engine on this machine.

    Raises
    ------
    MissingDependencyError
        If there is none, saying what to install.
    """
    # Without an activated environment, its executables are not on the path.
    places = [None, sysconfig.get_path("scripts"), str(Path(sys.executable).parent)]
    for name in FORMATS:
        for place in places:
            path = shutil.which(name, path=place)
            if path is not None:
                return Engine(name, path)
    raise MissingDependencyError(
        "no layout engine found: pip install graphviz-pure, or install Graphviz itself, whose "
        "command is dot; without one, a drawing can still be written as text: "
        'model.render("network.dot")'
    )
