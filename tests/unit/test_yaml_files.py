"""YAML files: mistakes are told with their place, and what YAML reads otherwise than it looks."""

import pytest
import yaml

from facestages.yaml_files import name_lines, read_yaml
from refusals import refusal


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "a:\n\tb: 1\n",
            "line 2, column 1: found character '\\t' that cannot start any token. Indent",
        ),
        (
            "a:\n  b: 1\n   c: 2\n",
            "line 3, column 5: mapping values are not allowed here. Text with",
        ),
        ("a:\n  - b\n c: d\n", "line 3, column 2: expected <block end>"),
        (
            "a: 1\nb: NN2: seven\n",
            "line 2, column 7: mapping values are not allowed here. Text with",
        ),
        ("a: {b: NN2: seven}\n", "line 1, column 11: expected ',' or '}', but got ':'. Text with"),
        ('a: 1\nb: "c\nd: e\n', "that begins in line 2, column 4. Close the quote"),
        (
            "a: 1\nb: [c\nd: e\n",
            "that begins in line 2, column 4. Text with ': ' needs quotes, and a",
        ),
        ("a: 1\nb: [c\n", "that begins in line 2, column 4. Close the bracket"),
        ("a: %b\n", "line 1, column 4: found character '%' that cannot start any token. Put the"),
        (
            'a: "C:\\data"\n',
            "line 1, column 8: found unknown escape character 'd'. Use single quotes",
        ),
        ("a: *b\n", "line 1, column 4: found undefined alias 'b'. A text that begins with *"),
        ("a: *b*\n", "but found '*'. Put the text in quotes"),
        ("a: !b c\n", "determine a constructor for the tag '!b'. A text that begins with ! needs"),
        ("a: {b: 'Tom's faces'}\n", "but got '<scalar>'. Close the bracket; text with quotes"),
        ("a: {b: c #1}\nd: e\n", "text with quotes, brackets or ' #' needs quotes around"),
        ('a: "C:\\Users\\me"\n', "8 hexadecimal numbers, but found 's'. Use single quotes"),
        ("a: b\n---\na: c\n", "Remove the line '---'"),
        ("a: caf\xe9\n".encode("latin-1"), "line 1: is no text in UTF-8. Save the file as UTF-8"),
        ("a: b\n".encode("utf-16"), "line 1: is no text in UTF-8. Save the file as UTF-8"),
    ],
)
def test_a_mistake_in_yaml_is_told_with_its_place(tmp_path, text, told):
    path = tmp_path / "x.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    message = refusal(read_yaml, path)
    assert message.startswith(f"{path}: cannot be read as YAML: line ") and told in message
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: 1\nb: 2\na: 3\n", "line 3, column 1: the key 'a' is already in line 1, "),
        ("a:\n  b: 1\n  c: 2\n  b: 1\n", "line 4, column 3: the key 'b' is already in line 2, "),
        ("a: [{b: 1, b: 2}]\n", "line 1, column 12: the key 'b' is already in line 1, "),
        ("a: &x {b: 1}\nc: {<<: *x, b: 2, b: 3}\n", "line 2, column 19: the key 'b' is "),
    ],
)
def test_a_key_that_is_given_twice_is_refused(tmp_path, text, place):
    """YAML would take the last in silence."""
    (tmp_path / "x.yaml").write_text(text)
    assert refusal(read_yaml, tmp_path / "x.yaml").startswith(f"{tmp_path}/x.yaml: {place}")


@pytest.mark.parametrize("number", ["010", "-0_7", "1:30"])
def test_a_number_that_yaml_takes_for_another_is_refused(tmp_path, number):
    (tmp_path / "x.yaml").write_text(f"a: [1, {number}]\n")
    assert f"line 1, column 8: YAML takes {number} for" in refusal(read_yaml, tmp_path / "x.yaml")


@pytest.mark.parametrize(
    ("text", "content"),
    [
        (b"\xef\xbb\xbfa: 1\r\nb: caf\xc3\xa9\r\n", {"a": 1, "b": "café"}),
        ("a: &x {b: 1, c: 2}\nd: {<<: *x, b: 3}\ne: *x\n", None),
        ("a: {'1': x, 1: y}\n", {"a": {"1": "x", 1: "y"}}),
        ("a: '010'\nb: 0\nc: 0.5\nd: -1\ne: '1:30'\n", None),
    ],
    ids=["mark and line ends of Windows", "merge", "text and number", "numbers"],
)
def test_yaml_that_is_as_it_looks(tmp_path, text, content):
    path = tmp_path / "x.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert read_yaml(path) == (content or yaml.safe_load(path.read_bytes()))


@pytest.mark.parametrize("text", ["\u00a0a: 1\n", "a: {b:\u00a0c}\n", "b\u2009c: d\n"])
def test_a_blank_of_another_kind_in_a_key_is_refused(tmp_path, text):
    (tmp_path / "x.yaml").write_text(text, encoding="utf-8")
    message = refusal(read_yaml, tmp_path / "x.yaml")
    assert "x.yaml: line 1, column " in message and "a blank of another kind" in message


CONFIG = """\
datasets:
  mine:
    table: faces.csv
    crop: {size: 48}
figures:
  fig4:
    networks:
      - nn1
      - nn2
"""


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("config: datasets.mine.table = 'x': no such file", 3),
        ("config: datasets.mine: unknown key 'crop': did you mean", 4),
        ("config: datasets.mine.crop.size: too small", 4),
        ("config: datasets.mine.label: this key is missing", 2),
        ("config: figures.fig4.networks.1 = 'nn2': no such network", 9),
        ("config: top level: unknown key 'figures': did you mean", 5),
        ("config: datasets.mine: faces.csv: row 1: has a NUL", 2),
    ],
)
def test_a_message_on_a_key_has_its_line(tmp_path, message, line):
    other, mine = tmp_path / "other.yaml", tmp_path / "mine.yaml"
    other.write_text("figures: {}\n")
    mine.write_text(CONFIG)
    expected = message.replace("config", f"{mine}, line {line}", 1) + "\nsecond: line"
    assert name_lines(f"{message}\nsecond: line", [other, mine]) == expected


@pytest.mark.parametrize("text", ["a: [", "just text", None])
def test_a_message_stays_where_no_line_is_known(tmp_path, text):
    path = tmp_path / "x.yaml"
    if text is not None:
        path.write_text(text)
    for message in ("config: datasets: this key is missing", "fig4 has nothing to draw"):
        assert name_lines(message, [path]) == message
