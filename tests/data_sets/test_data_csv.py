"""Tables with a header."""

import numpy as np
import pytest

from dagnet import data
from dagnet.errors import DataError, FileFormatError, UnknownNameError


@pytest.fixture
def table(tmp_path):
    """Return a function that writes a file and returns its path."""

    def write(text, encoding="utf-8"):
        path = tmp_path / "table.csv"
        path.write_bytes(text.encode(encoding))
        return path

    return write


def test_features_and_names(table):
    loaded = data.load(table("a,b,kind,c\n1,2,dog,3.5\n4,-5e1,cat, 6\n7,8,dog,9\n"), target="kind")
    np.testing.assert_array_equal(loaded.X, [[1, 4, 7], [2, -50, 8], [3.5, 6, 9]])
    np.testing.assert_array_equal(loaded.Y, [[1, 0, 1]])
    assert loaded.classes == ("cat", "dog")
    assert loaded.feature_names == ("a", "b", "c")
    assert loaded.name == "table"
    loaded.X[0, 0] = 5.0  # the arrays are the user's own


@pytest.mark.parametrize(
    ("cells", "Y", "classes"),
    [
        ("b a c a", [1, 0, 2, 0], ("a", "b", "c")),
        ("0 1 1 0", [[0, 1, 1, 0]], ("0", "1")),
        ("0 0 0 0", [[0, 0, 0, 0]], ("0", "1")),
        ("1.0 0.0 1 0", [[1, 0, 1, 0]], ("0", "1")),
        ("-1 1 -1 1", [[0, 1, 0, 1]], ("-1", "1")),
        ("10 9 2 9", [2, 1, 0, 1], ("2", "9", "10")),
        ("1.5 2 3 4", [[1.5, 2, 3, 4]], None),
    ],
)
def test_what_a_target_column_means(table, cells, Y, classes):
    rows = "".join(f"{i},{cell}\n" for i, cell in enumerate(cells.split()))
    loaded = data.load(table("x,y\n" + rows))
    np.testing.assert_array_equal(loaded.Y, Y)
    assert loaded.Y.shape == np.shape(Y)
    assert loaded.classes == classes


def test_many_whole_numbers_are_no_classes(table):
    few = "x,y\n" + "".join(f"{i},{i % 20}\n" for i in range(60))
    many = "x,y\n" + "".join(f"{i},{i % 21}\n" for i in range(60))
    assert len(data.load(table(few)).classes) == 20
    assert data.load(table(many)).task == "regression"
    assert len(data.load(table(many), regression=False).classes) == 21
    np.testing.assert_array_equal(data.load(table(few), regression=True).Y[0, :3], [0, 1, 2])


def test_given_classes_fix_the_labels(table):
    words = data.load(table("x,y\n1,c\n2,a\n"), classes=["a", "b", "c"])
    np.testing.assert_array_equal(words.Y, [2, 0])
    assert words.classes == ("a", "b", "c")
    np.testing.assert_array_equal(
        data.load(table("x,y\n1,9\n2,3\n"), classes=["3", "5", "9"]).Y, [2, 0]
    )
    np.testing.assert_array_equal(
        data.load(table("x,y\n1,b\n2,b\n"), classes=["a", "b"]).Y, [[1, 1]]
    )


@pytest.mark.parametrize("name", ["target", "Label", "CLASS", "y"])
def test_the_usual_target_names_are_found(table, name):
    assert data.load(table(f"a,{name},b\n1,0,2\n3,1,4\n")).feature_names == ("a", "b")


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffa,b,y\n1,2,0\n3,4,1\n",
        '"a","b","y"\n"1","2","0"\n"3","4","1"\n',
        '"a";"b";"y"\n1;2;0\n3;4;1\n',
        "a\tb\ty\n1\t2\t0\n3\t4\t1\n",
        "a, b, y\r\n 1, 2, 0\r\n\r\n3 ,4 ,1 ",
        "\n\na,b,y\n1,2,0\n\n3,4,1\n\n",
    ],
)
def test_spellings_of_the_same_table(table, text):
    loaded = data.load(table(text))
    np.testing.assert_array_equal(loaded.X, [[1, 3], [2, 4]])
    np.testing.assert_array_equal(loaded.Y, [[0, 1]])
    assert loaded.feature_names == ("a", "b")


def test_quoted_cells_hold_commas_and_line_ends(table):
    for mark in (",", ", ", ";"):
        text = '"a, in m"|y\n1|"x, ""or"" y"\n2|"two\nlines"\n'.replace("|", mark)
        loaded = data.load(table(text))
        assert loaded.feature_names == ("a, in m",)
        assert loaded.classes == ("two\nlines", 'x, "or" y')


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b,y\n1,2,0\n3,four,1\n", r"line 3, column 'b': 'four' is not a number"),
        ("a,b,y\n1,2,0\n3,2020_01,1\n", r"line 3, column 'b': '2020_01' is not a number"),
        ('a,b,y\n1,2,"p\nq"\n3,?,r\n', r"line 4, column 'b': '\?' is not a number"),
        ("a,b,y\n\n1,2,0\n3,4\n", "line 4: 2 cells, where the header has 3 columns"),
        ("a,b,y\n1,2,0,9\n", "line 2: 4 cells"),
        (
            "a,b,y\n1,2,0\n3,,1\n,nan,1\n5,6,\n7,inf,0\n",
            "5 cells in 4 rows are empty, NaN or infinite; the first is on line 3, column 'b'",
        ),
        ("a,b,y\n1,2,0\n3,4,NaN\n", "1 cells in 1 rows.*line 3, column 'y'"),
        ("a,b,y\n", "has a header and no rows"),
        ("1,2,3\n4,5,6\n", "line 1: numbers, where the header"),
        (",a,y\n0,1,2\n", "column 1 has no name"),
        ("a,a,y\n0,1,2\n", "two columns are named 'a'"),
        ("y\n0\n", "one column only, 'y'"),
        ("a,b\n0,1\n", "no column is named as the target; give target=, one of 'a', 'b'"),
        ("y,b,label\n0,1,2\n", "several columns could be the target.*'y', 'b', 'label'"),
        ("a,y\n0,same\n1,same\n", "holds one class only, 'same'; give the names of all as classes"),
        ("a,y\n0,1.5\n1,high\n", "'high' on line 3 is not a number; regression=False"),
        ("a,y\n0,1e300\n1,-1e300\n2,0.5\n3,inf\n", "column 'y': 'inf' on line 5 is not a number"),
    ],
)
def test_unusable_tables(table, text, message):
    with pytest.raises(DataError, match=message):
        data.load(table(text))


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("x,y\n1,a\n2,d\n", {"classes": ["a", "b"]}, "'d' at line 3 is none of the classes"),
        ("x,y\n1,0\n2,1.5\n", {"classes": ["0", "1"]}, "names or whole numbers, got '1.5' on line"),
        ("x,y\n1,0\n2,1.5\n", {"regression": False}, "names or whole numbers, got '1.5' on line 3"),
        ("x,y\n1,0\n2,a\n", {"regression": True}, "'a' on line 3 is not a number$"),
        ("x,y\n1,0\n2,a\n", {"classes": []}, "classes is empty"),
    ],
)
def test_targets_that_do_not_fit_the_options(table, text, options, message):
    with pytest.raises(DataError, match=message):
        data.load(table(text), **options)


def test_mixed_target_cells_can_all_be_names(table):
    assert data.load(table("x,y\n1,3\n2,3b\n"), regression=False).classes == ("3", "3b")


def test_an_unknown_target_column(table):
    with pytest.raises(
        UnknownNameError, match=r"no column of .*named 'speces'; did you mean 'species'"
    ):
        data.load(table("a,species\n1,2\n"), target="speces")


@pytest.mark.parametrize(
    ("text", "encoding", "message"),
    [
        ("a,y\n1,é\n", "latin-1", "not UTF-8 text"),
        ("a,y\n1,2\n", "utf-16", "not UTF-8 text"),
        ('a,y\n1,2\n3,"open\n5,6\n', "utf-8", "line 3: unexpected end of data"),
        ('a,y\n1,"2"3\n', "utf-8", "line 2: ',' expected"),
        ("a,y\n1," + "9" * 200_000 + "\n", "utf-8", "line 2: field larger"),
        ("\n\n", "utf-8", "has no header"),
    ],
)
def test_broken_text(table, text, encoding, message):
    with pytest.raises(FileFormatError, match=message):
        data.load(table(text, encoding))


def test_a_wide_table_does_not_list_all_its_columns(table):
    names = ",".join(f"c{i}" for i in range(50))
    with pytest.raises(DataError, match="'c19' and 30 more"):
        data.load(table(names + "\n" + ",".join("1" * 50) + "\n"))
