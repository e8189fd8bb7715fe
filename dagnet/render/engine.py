"""Running a layout engine: a system's Graphviz, or the one that comes as a Python package."""

import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from dagnet.errors import ArgumentError, DrawingError, MissingDependencyError

#: Executables in the order of preference, and the formats that each one writes.
FORMATS = {
    "dot": frozenset({"svg", "png", "pdf"}),
    "graphviz-pure": frozenset({"svg", "png"}),
}

#: Seconds after which a layout is given up.
TIMEOUT = 600

#: Dots per inch of a picture made of pixels.
RESOLUTION = 192


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
            If it fails, or takes too long.
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
            command.append(f"-Gdpi={RESOLUTION}")
        try:
            done = subprocess.run(
                command, input=source.encode(), capture_output=True, timeout=TIMEOUT, check=False
            )
        except subprocess.TimeoutExpired:
            raise DrawingError(
                f"{self.name} did not lay out the drawing in {TIMEOUT} seconds: it has too many "
                "boxes; fold=True draws repeats as one"
            ) from None
        except OSError as error:
            raise DrawingError(f"{self.path} cannot be run: {error}") from error
        if done.returncode != 0 or not done.stdout:
            raise DrawingError(
                f"{self.name} failed ({self.path}, exit code {done.returncode}): "
                + (done.stderr.decode(errors="replace").strip() or "it said nothing")
            )
        return done.stdout.replace(_FONT_OF_ENGINE, _FONT_OF_VIEWER)


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
