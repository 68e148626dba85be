"""The report in a real browser: no errors, sorting, every figure, small screens."""

import shutil

import pytest

sync_api = pytest.importorskip("playwright.sync_api")
pytest.importorskip("matplotlib")

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
    None,
)
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium to open the report in"
)
PHONE, DESK = 390, 1280


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(report, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(str(report), encoding="utf8")
    return path.as_uri()


@pytest.fixture
def opened(browser, address):
    """Open the report; what goes wrong in it fails the test."""
    contexts, wrong = [], []

    def open_page(width=DESK, scheme="light"):
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme,
            reduced_motion="reduce",
        )  # fmt: skip
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: (wrong.append("alert"), dialog.dismiss()))
        page.on("request", lambda request: wrong.append(request.url)
                if request.url != address and not request.url.startswith("data:")
                else None)  # fmt: skip
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


def column(page, label):
    """Sort values of a column of the leaderboard, from the top."""
    return page.evaluate(
        """label => {
            const table = document.getElementById("leaderboard-table");
            const labels = [...table.tHead.rows[0].cells].map(c => c.innerText.trim());
            const at = labels.findIndex(text => text.startsWith(label));
            return [...table.tBodies[0].rows].map(row => row.cells[at].dataset.value);
        }""",
        label,
    )


def test_sorting_by_click_and_by_key(opened):
    page = opened()
    button = page.locator("#leaderboard-table th button", has_text="± sd")
    head = page.locator("#leaderboard-table th", has_text="± sd")
    first = column(page, "± sd")
    assert len(set(first)) > 2
    button.click()
    assert column(page, "± sd") == sorted(first, key=float)
    assert head.get_attribute("aria-sort") == "ascending"
    button.focus()
    page.keyboard.press("Enter")
    assert column(page, "± sd") == sorted(first, key=float, reverse=True)
    assert head.get_attribute("aria-sort") == "descending"
    page.keyboard.press("Tab")
    label = page.evaluate("document.activeElement.innerText.trim()")
    page.keyboard.press("Space")
    assert head.get_attribute("aria-sort") == "none"
    values = [value for value in column(page, label) if value]
    assert len(set(values)) > 2 and values == sorted(values, key=float)


def test_numbers_are_sorted_as_numbers(opened):
    page = opened()
    page.evaluate(
        """() => ["9", "1e-05", "10", "-2"].forEach((text, i) => {
            document.getElementById("leaderboard-table").tBodies[0].rows[i].cells[0]
                .dataset.value = text; })"""
    )
    page.locator("#leaderboard-table th button").first.click()  # from first to last
    page.locator("#leaderboard-table th button").first.click()
    ranks = column(page, "rank")
    assert ranks == sorted(ranks, key=float)
    assert ranks.index("-2") < ranks.index("1e-05") < ranks.index("9")
    assert ranks[-1] == "10"


def test_text_is_sorted_as_text_and_what_is_unknown_is_last(opened):
    page = opened()
    names = column(page, "configuration")
    names = page.evaluate("names => names.sort((a, b) => a.localeCompare(b))", names)
    for expected in (names, names[::-1]):
        page.locator("#leaderboard-table th button", has_text="configuration").click()
        assert column(page, "configuration") == expected
    page.evaluate(
        """() => { document.querySelector("#leaderboard-table tbody td.number")
                   .dataset.value = ""; }"""
    )
    for _ in range(2):
        page.locator("#leaderboard-table th button").first.click()
        values = column(page, "rank")
        assert values[-1] == "" and "" not in values[:-1]


@pytest.mark.parametrize("width", [DESK, PHONE])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_figure_is_shown_and_the_page_fits(opened, width, scheme):
    page = opened(width, scheme)
    figures = page.locator("figure svg").all()
    assert len(figures) == 8
    for figure in figures:
        box = figure.bounding_box()
        assert box["width"] > 250 and box["height"] > 80
        assert box["x"] >= 0 and box["x"] + box["width"] <= width
    size = "[document.documentElement.scrollWidth, document.body.scrollWidth]"
    assert max(page.evaluate(size)) <= width
    small = page.evaluate(
        """() => Math.min(...[...document.querySelectorAll("figure svg text")]
                 .map(text => text.getBoundingClientRect().height))"""
    )
    assert small >= 9


def test_text_of_figures_stays_in_them(opened):
    for width in (DESK, PHONE):
        outside = opened(width).evaluate(
            """() => [...document.querySelectorAll("figure svg text")].filter(text => {
                const [a, b] = [text, text.closest("svg")]
                    .map(element => element.getBoundingClientRect());
                return a.left < b.left - 1 || a.right > b.right + 1
                    || a.top < b.top - 1 || a.bottom > b.bottom + 1;
            }).map(text => text.textContent)"""
        )
        assert outside == []


def test_figures_are_light_on_dark_and_dark_on_light(opened):
    colors = {}
    for scheme in ("light", "dark"):
        colors[scheme] = opened(scheme=scheme).evaluate(
            """() => [getComputedStyle(document.querySelector("figure svg text")).fill,
                      getComputedStyle(document.querySelector("section"))
                          .backgroundColor]"""
        )
    (ink, paper), (light_ink, dark_paper) = colors["light"], colors["dark"]
    assert brightness(ink) < 60 < 240 < brightness(paper)
    assert brightness(dark_paper) < 60 < 200 < brightness(light_ink)


def test_what_matters_is_seen_on_a_phone_without_scrolling(opened):
    page = opened(PHONE)
    for table in ("left-out-table", "why-configurations"):
        cell = page.locator(f"#{table} tbody td.long").first
        box = cell.bounding_box()
        assert box["x"] + box["width"] <= PHONE and box["width"] > 150


def test_print_is_dark_on_white_and_complete(opened):
    page = opened(718, "dark")  # what A4 has between its margins
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible()
    paper, ink = page.evaluate(
        """() => ["backgroundColor", "color"].map(
            name => getComputedStyle(document.querySelector("section"))[name])"""
    )
    assert brightness(ink) < 60 < 240 < brightness(paper)
    for scroll in page.locator(".scroll:visible").all():
        inner, outer = scroll.evaluate("box => [box.scrollWidth, box.clientWidth]")
        assert inner <= outer + 1
        assert scroll.evaluate("box => getComputedStyle(box).maxHeight") == "none"


def brightness(color):
    parts = color.removeprefix("rgb(").removesuffix(")").split(",")
    return sum(map(int, parts)) / 3


def test_keyboard_reaches_contents_and_tables(opened):
    page = opened(PHONE)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/*#summary")
    region = page.locator("#leaderboard .scroll")
    region.focus()
    page.keyboard.press("ArrowRight")
    # Not by wait_for_function, whose script the page's policy refuses.
    for _ in range(100):
        if region.evaluate("box => box.scrollLeft") > 0:
            break
        page.wait_for_timeout(50)
    assert region.evaluate("box => box.scrollLeft") > 0
