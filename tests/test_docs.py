"""The pages are true: their code runs and prints what they show, their links and pictures exist."""

import ast
import re
import runpy
import shlex
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

import dagnet
from dagnet.cli import main
from dagnet.debug.watches import CATALOGUE
from dagnet.ops import REGISTRY

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"

_outputs = runpy.run_path(str(DOCS / "make_outputs.py"))
PAGES, FENCE, Block, blocks, run_page = (
    _outputs[name] for name in ("PAGES", "FENCE", "Block", "blocks", "run")
)

NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?(?![\w])")
#: Numbers in a picture that come from a run.
MEASURED = re.compile(r"\d+\.\d+(?:e[-+]\d+)?%?|\d+e[-+]\d+|\d+%")

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|<img[^>]*src=\"([^\"]+)\"")


def name_of(page):
    return page.relative_to(ROOT).as_posix()


def read(page):
    return page.read_text(encoding="utf-8")


def runnable(page):
    return [b for b in blocks(page) if b.language == "python"]


def hold(printed, shown):
    """Compare outputs: the words exactly, the numbers to the digits that the page shows.

    After ```text about, numbers may be a tenth off: training may differ from machine to machine.
    """
    about = shown.info == "about"
    hint = "run: python docs/make_outputs.py"
    assert words(printed) == words(shown.text), f"{printed}\n--- but {hint}; it shows\n{shown.text}"
    for text, number in zip(NUMBER.findall(printed), NUMBER.findall(shown.text), strict=True):
        tolerance = 0.1 * abs(float(number)) + 0.02 if about else 1.5 * last_digit(number)
        assert float(text) == pytest.approx(float(number), abs=tolerance), f"{text} for {number}"


def words(text):
    """Return the text without its numbers, and without where numpy breaks its lines."""
    return re.sub(r"[\s]+", "", NUMBER.sub("#", text)).replace(".]", "]")


def last_digit(number):
    """Return the unit of the last digit of a number's text."""
    mantissa, _, exponent = number.partition("e")
    decimals = len(mantissa.partition(".")[2])
    return 10.0 ** (int(exponent or 0) - decimals) if decimals or exponent else 0.0


@pytest.mark.parametrize(
    ("printed", "fails"),
    [
        ("cost 0.4149 in (3, 5)", False),
        ("cost   0.4150\nin (3, 5)", False),
        ("cost 0.4159 in (3, 5)", True),
        ("cost 0.4149 in (3, 4)", True),
        ("loss 0.4149 in (3, 5)", True),
        ("cost 0.4149 in (3, 5, 1)", True),
    ],
)
def test_the_comparison_of_outputs_itself(printed, fails):
    shown = Block("text", "", "cost 0.4149 in (3, 5)\n", 0, 0)
    if fails:
        with pytest.raises(AssertionError):
            hold(printed, shown)
    else:
        hold(printed, shown)


@pytest.mark.parametrize("page", [p for p in PAGES if runnable(p)], ids=name_of)
def test_code_runs_and_prints_what_the_page_shows(page):
    for block, shown, printed in run_page(page):
        if shown is None:
            assert not printed, f"{name_of(page)} does not show what this prints:\n{block.text}"
        else:
            hold(printed, shown)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_and_pictures_exist(page):
    text = FENCE.sub("", read(page))
    for plain, image in LINK.findall(text):
        target = plain or image
        if re.match(r"https?://|mailto:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{name_of(page)} links to {target}"
        if anchor:
            assert anchor in anchors(file), f"{name_of(page)} links to {target}"


def anchors(page):
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", read(page)), re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


@pytest.mark.parametrize("page", sorted((DOCS / "zh").glob("*.md")), ids=name_of)
def test_chinese_pages_link_to_chinese_pages(page):
    text = FENCE.sub("", read(page)).replace(f"[English](../{page.name})", "")
    english = set(re.findall(r"\]\(\.\./(\w+\.md)", text)) - {"index.md"}
    assert not {e for e in english if (page.parent / e).exists()}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_page_can_be_reached(page):
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        here = waiting.pop()
        if here in reached or here.suffix != ".md":
            continue
        reached.add(here)
        targets = (plain for plain, _ in LINK.findall(FENCE.sub("", read(here))) if plain)
        waiting += [
            (here.parent / t.partition("#")[0]).resolve() for t in targets if t[:4] != "http"
        ]
    assert page in reached


def test_the_commands_of_the_command_line_page_run_in_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for block in blocks(DOCS / "cli.md"):
        if block.language == "python":
            exec(block.text, {})
        elif block.language == "sh":
            for line in block.text.splitlines():
                command, *arguments = shlex.split(line)
                assert command == "dagnet"
                done = CliRunner().invoke(main, arguments)
                assert done.exit_code == 0, f"{line}\n{done.output}"
    assert {"moons", "moons.svg", "lesson.png", "flower"} <= {p.name for p in tmp_path.iterdir()}
    kept = {"model.safetensors", "net.svg", "history.csv"}
    assert kept <= {p.name for p in (tmp_path / "moons").iterdir()}


def test_the_readme_has_the_two_commands():
    shell = [b.text.strip() for b in blocks(ROOT / "README.md") if b.language == "sh"]
    assert "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/dagnet demo" in shell
    assert (
        'python3 -m venv .venv && .venv/bin/pip install ".[test]" && .venv/bin/python -m pytest'
        in shell
    )


class TestOps:
    PAGE = DOCS / "ops.md"

    def test_every_op_is_there_with_its_equation(self):
        text = read(self.PAGE).replace("\\|", "|")
        for name, op in REGISTRY.items():
            shown = "Input" if name == "Placeholder" else name
            assert f"### {shown}\n" in text
            assert op.equation in text

    def test_the_page_is_what_the_classes_say(self):
        made = runpy.run_path(str(DOCS / "make_ops.py"))["page"]()
        assert read(self.PAGE) == made, "run: python docs/make_ops.py"


class TestWatches:
    MADE = runpy.run_path(str(DOCS / "make_watches.py"))
    PAGE = DOCS / "watches.md"

    def test_every_watch_is_there_with_its_formula(self):
        rows = [line for line in read(self.PAGE).splitlines() if line.startswith('| `"')]
        assert len(rows) == len(CATALOGUE)
        for watch, row in zip(CATALOGUE, rows, strict=True):
            assert f'`"{watch.name}"` | `{watch.__name__}(' in row
            assert watch.formula in row

    @pytest.mark.parametrize("page", MADE["PAGES"], ids=name_of)
    def test_the_table_is_what_the_classes_say(self, page):
        assert read(page) == self.MADE["made"](page), "run: python docs/make_watches.py"

    def test_the_chinese_words_are_all_used(self):
        said = set()
        self.MADE["table"](lambda phrase: said.add(phrase) or phrase)
        assert set(self.MADE["CHINESE"]) == said, "docs/make_watches.py: CHINESE"


@pytest.mark.parametrize(
    "page", sorted(p.name for p in (DOCS / "zh").glob("*.md") if p.stem != "index")
)
class TestTwoLanguages:
    def test_same_sections_and_code(self, page):
        english, chinese = DOCS / page, DOCS / "zh" / page
        assert levels(english) == levels(chinese)
        mine, theirs = runnable(english), runnable(chinese)
        assert [tree(b) for b in mine] == [tree(b) for b in theirs]
        assert others(english) == others(chinese)

    def test_every_section_has_the_code_and_the_figures_of_the_english_one(self, page):
        for mine, theirs in zip(sections(DOCS / page), sections(DOCS / "zh" / page), strict=True):
            assert not facts(mine) - facts(theirs), theirs[:80]

    def test_each_links_to_the_other(self, page):
        assert f"\n[中文](zh/{page})\n" in read(DOCS / page)
        assert f"\n[English](../{page})\n" in read(DOCS / "zh" / page)


def levels(page):
    """Return depth and number of every heading, and the letters and names in it that are code."""
    headings = re.findall(r"^(#+) (\d*)(.*)$", FENCE.sub("", read(page)), re.M)
    return [(marks, number, re.findall(r"`.*?`", text)) for marks, number, text in headings]


def sections(page):
    return re.split(r"^#+ .*$", FENCE.sub("", read(page)), flags=re.M)


def facts(text):
    """Return what a text has in code marks, and its numbers but for those in words."""
    code = {" ".join(span.split()) for span in re.findall(r"`([^`]+)`", text)}
    prose = re.sub(r"`[^`]+`|\]\([^)]*\)", "", text)
    return code | set(re.findall(r"\b\d(?:[\d,.]*\d)?\b(?! million)", prose, re.ASCII))


def others(page):
    """Return commands and outputs, without the lines of the page that outputs name."""
    line = re.compile(rf"\b{re.escape(page.name)}:\d+")
    return [line.sub(page.name, b.text) for b in blocks(page) if b.language != "python"]


def tree(block):
    """Return code without its comments, which are in the language of the page."""
    return ast.dump(ast.parse(block.text))


class TestLayout:
    TEXT = read(DOCS / "layout.md")

    def test_every_file_it_names_exists(self):
        named = re.findall(r"`([\w/]+(?:\.py|/))`", self.TEXT)
        assert len(named) > 30
        for name in named:
            places = [ROOT / name, ROOT / "dagnet" / name]
            assert any(p.exists() for p in places), name

    def test_it_names_every_module_and_package(self):
        for path in (ROOT / "dagnet").iterdir():
            is_package = (path / "__init__.py").exists()
            if is_package or (path.suffix == ".py" and path.stem != "__init__"):
                name = f"{path.name}/" if is_package else path.name
                assert f"`{name}`" in self.TEXT, f"docs/layout.md says nothing about {name}"


class TestPictures:
    def test_they_are_what_the_code_draws(self, tmp_path):
        drawn = runpy.run_path(str(DOCS / "make_pictures.py"))["draw"](tmp_path)
        assert {p.name for p in drawn} == {p.name for p in (DOCS / "pictures").glob("*.svg")}
        for picture in drawn:
            same = structure(picture) == structure(DOCS / "pictures" / picture.name)
            assert same, f"run: python docs/make_pictures.py ({picture.name})"

    def test_the_first_script_draws_the_picture_above_it(self, tmp_path, monkeypatch, capsys):
        monkeypatch.chdir(tmp_path)
        first = runnable(ROOT / "README.md")[0]
        exec(compile(first.text, "first.py", "exec"), {"__name__": "__main__"})
        capsys.readouterr()
        assert structure(tmp_path / "digits.svg") == structure(DOCS / "pictures" / "digits.svg")


def structure(svg):
    """Return what a drawing shows, wherever the layout engine puts it: boxes, arrows and texts.

    The root may have a class, for its theme. Measured numbers may differ from machine to machine.
    """
    elements = list(ElementTree.parse(svg).getroot())
    elements = [e for element in elements for e in element.iter()]
    groups = sorted((e.get("class"), e.get("id")) for e in elements if e.get("class"))
    texts = sorted(
        MEASURED.sub("#", "".join(e.itertext())) for e in elements if e.tag.endswith("}text")
    )
    return groups, texts


def test_the_version_in_the_pages_is_that_of_the_package():
    for page in PAGES:
        for version in re.findall(r"dagnet (\d+\.\d+\.\d+)", read(page)):
            assert version == dagnet.__version__, name_of(page)
