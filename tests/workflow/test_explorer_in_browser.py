"""The explorer in a real browser, as a person uses it: with the pointer, the keyboard, a phone."""

import json
import os

import pytest

from browser import CHROMIUM, find_violations, open_page
from explorer_page import WHY, faces_of, read_number, write_page

# On a machine of one's own a browser may be missing; in CI it may not.
pytestmark = pytest.mark.skipif(
    CHROMIUM is None and "CI" not in os.environ,
    reason="no Chromium on PATH (Debian: apt-get install chromium-headless-shell)",
)

# Grey values of the 16 fields of a drawn face; None until its picture is decoded.
FIELDS = """((canvas) => {
  const side = canvas.width, pixels = canvas.getContext("2d").getImageData(0, 0, side, side).data;
  const at = (row, column) => pixels[4 * (Math.round((row + 0.5) * side / 4) * side
    + Math.round((column + 0.5) * side / 4))];
  return pixels[3] ? [0, 1, 2, 3].flatMap((row) => [0, 1, 2, 3].map((c) => at(row, c))) : null;
})(%s)"""

N = 1100


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("explorer")
    write_page(folder / "explorer.html", faces_of(folder, N, 10))
    return folder / "explorer.html"


@pytest.fixture
def page(path, tmp_path):
    with open_page(path, tmp_path) as page:
        page.wait("panes.length === 1 && panes[0].now !== null")
        yield page
        assert page.errors == [] and page.requests == []


def shown_number(page, canvas):
    return read_number(page.wait(FIELDS % canvas))


def shown_faces(page, inside):
    """Face that each small picture below an element says it is, and the one that it shows."""
    many = f"[...document.querySelectorAll({json.dumps(inside + ' canvas[data-face]')})]"
    told = page.wait(f"{many}.map((one) => Number(one.dataset.face))")
    return told, [shown_number(page, f"{many}[{i}]") for i in range(len(told))]


def press(page, key):
    for kind in ("keyDown", "keyUp"):
        page._call("Input.dispatchKeyEvent", type=kind, key=key, code=key)


def drag(page, *places, pane=0, **options):
    """Drag the pointer over a map, from place to place in its pixels."""
    box = page.evaluate(
        f"(({{x, y}}, one) => [x + one.clientLeft, y + one.clientTop])("
        f"panes[{pane}].canvas.getBoundingClientRect(), panes[{pane}].canvas)"
    )
    for number, (x, y) in enumerate(places):
        kind = "mousePressed" if number == 0 else "mouseMoved"
        point = {"x": box[0] + x, "y": box[1] + y, "button": "left", "clickCount": 1, **options}
        page._call("Input.dispatchMouseEvent", type=kind, **point)
    page._call("Input.dispatchMouseEvent", **{"type": "mouseReleased", **point})


def test_every_small_picture_is_of_the_face_that_it_names(page):
    """After a filter, a slide and another network too; the number of a face is in its picture."""
    page.evaluate("look(7, true)")
    for change in ("goTo(2)", "hide(1, false)", "chooseNetworks('net1.0', 'net0.0')"):
        page.evaluate(change)
        page.evaluate("look(1050, true)")
        page.wait("document.querySelector('#face canvas').dataset.face === '1050'")
        for inside in ("#face", "#near .strip:first-of-type"):
            told, shown = shown_faces(page, inside)
            assert told == shown and len(told) > 5


def test_the_face_under_the_pointer_is_shown(page):
    for i in (3, 500, 1099):
        page.evaluate(f"state.isHeld = false; panes[0].zoomAt(...panes[0].place({i}), 60)")
        x, y = page.evaluate(f"panes[0].place({i})")
        box = page.evaluate("(({x, y}) => [x, y])(panes[0].canvas.getBoundingClientRect())")
        page._call("Input.dispatchMouseEvent", type="mouseMoved", x=box[0] + x, y=box[1] + y)
        page.wait(f"document.querySelector('#face canvas')?.dataset.face === '{i}'")
        assert shown_number(page, "document.querySelector('#face canvas')") == i
        assert f"set/{i:05d}" in page.evaluate("document.getElementById('face').innerText")
        page.evaluate("panes[0].whole()")


def test_points_move_to_where_the_layer_has_them(page):
    before = page.evaluate("[...panes[0].now]")
    page.evaluate("goTo(3)")
    page.wait("panes[0].origin === null")
    after = page.evaluate("[...panes[0].now]")
    assert after == page.evaluate("[...points(state.shown[0], 'pca', 3)]") != before
    assert page.evaluate("document.getElementById('layer').textContent") == (
        "layer_3 (final), 4 of 4"
    )


def test_a_rectangle_selects_what_is_inside(page):
    page.evaluate("document.querySelector('[data-tool=rectangle]').click()")
    drag(page, (200, 60), (300, 150), (420, 250))
    chosen = page.evaluate("[...state.selection].sort((a, b) => a - b)")
    inside = page.evaluate(
        f"""[...Array({N}).keys()].filter((i) => {{ const [x, y] = panes[0].place(i);
        return x > 200 && x < 420 && y > 60 && y < 250; }})"""
    )
    assert chosen == inside and 10 < len(chosen) < N
    assert f"{len(chosen)} of {N} faces" in page.evaluate(
        "document.getElementById('selection').innerText"
    )


def test_a_lasso_selects_in_both_maps(page):
    page.evaluate("chooseNetworks('net0.0', 'net1.0')")
    page.evaluate("document.querySelector('[data-tool=lasso]').click()")
    page.wait("panes.length === 2 && panes[1].now !== null && panes[1].canvas.clientWidth > 100")
    drag(page, (100, 60), (350, 80), (340, 300), (120, 290), pane=1)
    assert 10 < page.evaluate("state.selection.size") < N
    assert page.evaluate("panes.every((pane) => pane.page.selection === state.selection)")


def test_a_filter_hides_and_a_hidden_face_is_not_found(page):
    page.evaluate("state.color = 'identity'; refresh()")
    page.evaluate("document.querySelector('#legend input').click()")
    assert page.evaluate("isShown.reduce((sum, one) => sum + one, 0)") == N - N // 10
    assert page.evaluate("panes[0].find(...panes[0].place(0), 1) !== 0")


def test_the_keyboard_alone_reaches_everything(page):
    seen = []
    for _ in range(60):
        press(page, "Tab")
        seen.append(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
    assert {"set", "network", "beside", "map", "color", "find", "faces", "csv", "png"} <= {*seen}
    assert {"CANVAS", "back", "play", "on", "step", "selection"} <= {*seen}
    page.evaluate("document.querySelector('.pane canvas').focus()")
    press(page, "ArrowRight")
    first = page.evaluate("state.face")
    press(page, "ArrowUp")
    second = page.evaluate("state.face")
    assert first >= 0 and second not in (-1, first)
    assert page.evaluate(f"panes[0].place({second})[1] < panes[0].place({first})[1]")
    assert f"set/{second:05d}" in page.evaluate("document.getElementById('live').textContent")
    press(page, "Enter")
    assert page.evaluate("[...state.selection]") == [second]
    press(page, "]")
    assert page.evaluate("state.step") == 1


def test_an_address_brings_the_view_back(page, path, tmp_path):
    page.evaluate("chooseNetworks('net1.0', 'net0.0'); state.color = 'valence'; refresh()")
    page.evaluate("goTo(2); select([3, 4, 5, 900]); look(42, true)")
    words = page.evaluate("address()")
    page.wait("location.hash.slice(1) === address()")
    page.evaluate("location.hash = ''")
    page.wait("state.face === -1")
    page.evaluate(f"location.hash = {json.dumps(words)}")
    page.wait("state.face === 42")
    assert page.evaluate("address()") == words
    assert page.evaluate("[...state.selection]") == [3, 4, 5, 900]


def test_what_is_not_measured_says_why(page):
    told = page.evaluate("document.getElementById('curves').innerText")
    assert f"No identity: {WHY}" in told and "No expression" not in told


def test_a_person_is_found(page):
    page.evaluate("findFace('p7')")
    assert page.evaluate("[...state.selection].every((i) => i % 10 === 7)")
    assert page.evaluate("state.selection.size") == N // 10


def test_downloads(page):
    page.evaluate("select([0, 7]); saved = []; save = (...given) => saved.push(given)")
    page.evaluate("document.getElementById('csv').click()")
    name, text, _ = page.evaluate("saved[0]")
    lines = text.split("\r\n")
    assert name == "set-net0-layer_0.csv"
    assert lines[0].startswith("picture,expression,identity,valence") and len(lines) == 4
    assert lines[2].startswith("set/00007,happy,P7,-0.99")
    page.evaluate("document.getElementById('svg').click(); document.getElementById('png').click()")
    svg = page.evaluate("saved[1][1]")
    inside = page.evaluate(
        f"""[...Array({N}).keys()].map((i) => panes[0].place(i)).filter(([x, y]) =>
        x >= 0 && y >= 0 && x <= panes[0].size.width && y <= panes[0].size.height).length"""
    )
    assert svg.startswith("<svg") and svg.count("<path") == inside > 1000
    assert page.wait("saved.length === 3 && saved[2][1].size > 5000")
    assert page.evaluate("csv([['=1+1', '-2', 'a\"b,']])") == '\'=1+1,-2,"a""b,"\r\n'


def test_labels_are_text(tmp_path):
    faces = faces_of(tmp_path, 30, 3)
    hostile = "<img src=x onerror=document.title='hacked'>"
    labels = faces.labels.assign(identity=hostile, expression="__proto__")
    write_page(tmp_path / "page.html", faces._replace(labels=labels))
    with open_page(tmp_path / "page.html", tmp_path / "chromium") as page:
        page.evaluate("state.color = 'identity'; refresh(); look(4, true); select([4, 5])")
        page.wait("document.querySelector('#face canvas') !== null")
        assert hostile in page.evaluate("document.getElementById('face').innerText")
        assert "hacked" not in page.evaluate("document.title")
        assert page.errors == [] and page.requests == []


def test_a_run_of_hostile_labels(tiny_run, tmp_path):
    explorer = tiny_run.folder / "results" / "explorer.html"
    with open_page(explorer, tmp_path) as page:
        page.wait("panes[0].now !== null")
        for one in tiny_run.config["figures"]["fig4"]["datasets"]:
            page.evaluate(f"chooseSet({json.dumps(one)}); look(3, true); showPanels()")
            about = page.evaluate("document.getElementById('about').textContent")
            assert tiny_run.config["datasets"][one]["label"] in about and "RENDERED" in about
        assert page.evaluate("window.hacked") is None
        assert page.errors == [] and page.requests == []


@pytest.mark.parametrize("n, people", [(12, 1), (2, 2)])
def test_few_faces(tmp_path, n, people):
    """One person, one layer, one network, no expression; and two faces."""
    faces = faces_of(tmp_path, n, people, "none")
    labels = faces.labels.drop(columns=["expression", "valence"])
    write_page(tmp_path / "page.html", faces._replace(labels=labels), networks=1, layers=1)
    with open_page(tmp_path / "page.html", tmp_path / "chromium") as page:
        page.wait("panes[0].now !== null")
        page.evaluate("look(1, true); play(); goTo(5)")
        about = page.evaluate("document.getElementById('about').textContent")
        assert f"{n} of {n} faces may not be shown" in about
        assert page.errors == [] and page.requests == []


def test_a_phone(path, tmp_path):
    with open_page(path, tmp_path) as page:
        size = {"width": 380, "height": 800, "deviceScaleFactor": 2, "mobile": True}
        page._call("Emulation.setDeviceMetricsOverride", **size)
        page.evaluate("chooseNetworks('net0.0', 'net1.0'); look(3, true)")
        page.wait("document.querySelector('#face canvas') !== null")
        assert page.evaluate("document.documentElement.scrollWidth") <= 380
        assert page.errors == []


def test_axe_finds_nothing(page):
    page.evaluate("chooseNetworks('net0.0', 'net1.0'); look(3, true); select([1, 2, 3])")
    assert find_violations(page) == []


@pytest.mark.parametrize("n, most", [(5700, 1000 / 60), (20_000, 1000 / 20)])
def test_frames_are_fast(tmp_path, n, most):
    """Time to move and draw all points once, without a GPU; the median of forty."""
    write_page(tmp_path / "page.html", faces_of(tmp_path, n, 70), networks=1, layers=2)
    with open_page(tmp_path / "page.html", tmp_path / "chromium") as page:
        page.wait("panes[0].now !== null && panes[0].canvas.width > 0")
        # Reading a pixel makes the browser finish what it draws.
        took = page.evaluate(
            """(() => { goTo(1); const took = [];
            for (let i = 0; i < 40; i++) { const start = performance.now();
              panes[0].since = start - 300; panes[0].advance(start); panes[0].draw();
              panes[0].context.getImageData(0, 0, 1, 1);
              took.push(performance.now() - start); }
            return took.sort((a, b) => a - b)[20]; })()"""
        )
        assert took < most
