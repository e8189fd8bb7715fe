"""A page in headless Chromium, and what one does with it."""

import shutil
import time
from pathlib import Path

import pytest

#: Where Debian's packages put them.
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--lang=en", "--hide-scrollbars", "--force-prefers-reduced-motion"),
)


def start(profile):
    """Start Chromium, or skip where there is none."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    if not (CHROMIUM and DRIVER):
        pytest.skip("Chromium and ChromeDriver are not installed: apt install chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))


class Tab:
    """A page that is open."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, path, width=1440, height=1000):
        self.driver.set_window_size(width, height)
        self.driver.get(Path(path).as_uri())

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def all(self, selector):
        return self.driver.find_elements("css selector", selector)

    def one(self, selector):
        found = self.all(selector)
        assert len(found) == 1, f"{len(found)} of {selector}"
        return found[0]

    def text(self, selector):
        return self.one(selector).text

    def click(self, selector):
        """Click with the mouse, in the middle of an element."""
        from selenium.webdriver import ActionChains

        element = self.one(selector)
        self.run("arguments[0].scrollIntoView({block: 'center'})", element)
        ActionChains(self.driver, duration=0).move_to_element(element).click().perform()

    def press(self, *keys, on=None):
        from selenium.webdriver.common.keys import Keys

        for key in keys:
            (self.one(on) if on else self.one("body")).send_keys(getattr(Keys, key, key))

    def choose(self, selector, value):
        """Choose an option, or move a slider."""
        self.run(
            "const [e, v] = arguments; e.value = v;"
            "for (const name of ['input', 'change'])"
            " e.dispatchEvent(new Event(name, {bubbles: true}))",
            self.one(selector),
            str(value),
        )

    def point(self, value, row, column):
        """Put the mouse on an element of an array; `row` and `column` are of what is drawn."""
        from selenium.webdriver import ActionChains

        canvas = self.one(f'[data-value="{value}"] canvas.heat')
        self.run("arguments[0].scrollIntoView({block: 'center'})", canvas)
        width, height, across, down = self.run(
            "const c = arguments[0], box = c.getBoundingClientRect();"
            "return [box.width, box.height, c.width, c.height]",
            canvas,
        )
        x = (column + 0.5) * width / across - width / 2
        y = (row + 0.5) * height / down - height / 2
        ActionChains(self.driver, duration=0).move_to_element_with_offset(
            canvas, int(x), int(y)
        ).perform()
        self.settle()

    def hold(self):
        """Click where the mouse is."""
        from selenium.webdriver import ActionChains

        ActionChains(self.driver, duration=0).click().perform()

    def settle(self):
        self.run("return document.body.offsetHeight")
        time.sleep(0.02)

    def box(self, node):
        """Return the selector of a node's box in the drawing that is shown."""
        return f'.node[aria-label="{node}"]'

    def complaints(self):
        """Return what stands in the console."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self):
        """Return what the page asked for, besides itself."""
        return self.run("return performance.getEntriesByType('resource').map(e => e.name)")
