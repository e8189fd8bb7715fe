"""Makes docs/pictures/report.png: the page of docs/report.md, as Chromium shows it.

Run it after changing the page:  python docs/make_screenshot.py
It needs Chromium with its driver, selenium and Pillow.
"""

import runpy
import sys
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "pictures" / "report.png"


def write_page() -> None:
    """Run the first script of the page about it."""
    outputs = runpy.run_path(str(ROOT / "docs" / "make_outputs.py"))
    first = next(
        b for b in outputs["blocks"](ROOT / "docs" / "report.md") if b.language == "python"
    )
    Path("moons.py").write_text(first.text, encoding="utf-8")  # the page shows its lines
    runpy.run_path("moons.py")


def main() -> None:
    from PIL import Image

    sys.path.insert(0, str(ROOT / "tests" / "inspector"))
    from browser import Tab, start

    with TemporaryDirectory() as folder, chdir(folder):
        write_page()
        driver = start(Path(folder) / "profile")
        try:
            tab = Tab(driver)
            tab.open(Path(folder) / "moons.html", 1500, 1080)
            tab.choose("#drawing", "nodes")
            tab.choose("#overlay", "grad_norm")
            tab.choose("#step", 8)
            tab.choose("#search", "linear2")
            tab.run("document.querySelector('.legend details').open = false")
            tab.point("output", 1, 120)
            driver.save_screenshot("page.png")
        finally:
            driver.quit()
        few = Image.open("page.png").convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE)
        few.save(PICTURE, optimize=True)


if __name__ == "__main__":
    main()
