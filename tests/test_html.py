"""The report is one page that is complete, escaped and accessible."""

import pickle
import re
import sys
from html import escape
from html.parser import HTMLParser
from itertools import pairwise

import pytest
import sklearn
from conftest import MARKUP
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sk_meta import _html
from sk_meta._html_tables import changed, number, parts_of
from sk_meta.plots import __all__ as DISPLAYS

LINKS = ("src", "href", "xlink:href", "action", "data")
VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """Elements as (tag, attributes), texts, and whether all are closed in order."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.texts, self.open = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    def all(self, *tags):
        return [attrs for tag, attrs in self.elements if tag in tags]


@pytest.fixture(scope="module")
def html(report):
    return report.html


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def test_elements_are_closed_and_names_unique(page):
    assert page.open == []
    names = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(names) == len(set(names)) > 20


def test_references_lead_somewhere_and_nothing_is_loaded(page, html):
    names = {attrs["id"] for _, attrs in page.elements if "id" in attrs}
    links = [attrs[k] for _, attrs in page.elements for k in LINKS if k in attrs]
    links += re.findall(r"url\(([^)]*)\)", html)
    assert len(links) > 20
    for link in links:
        assert link == "data:," or link[1:] in names, link
    for _, attrs in page.elements:
        for name in attrs.get("aria-labelledby", "").split():
            assert name in names
    assert "@import" not in html and "http://" not in html.replace("www.w3.org", "")


def test_language_landmarks_and_headings(page):
    assert page.all("html") == [{"lang": "en"}]
    for landmark in ("header", "nav", "main", "footer", "h1", "title"):
        assert len(page.all(landmark)) == 1, landmark
    assert all("aria-labelledby" in attrs for attrs in page.all("section"))
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and all(b <= a + 1 for a, b in pairwise(levels))


def test_every_figure_is_there_and_described(page):
    assert len(page.all("figure")) == len(page.all("figcaption")) == len(DISPLAYS)
    labels = [svg["aria-label"] for svg in page.all("svg")]
    assert len(set(labels)) == len(DISPLAYS) and min(map(len, labels)) > 20
    assert all(svg["role"] == "img" for svg in page.all("svg"))


def test_figures_take_the_colours_of_the_page(html):
    defined = {f"var(--{name})" for name in re.findall(r"--(\w+): #", html)}
    for figure in re.findall("<svg.*?</svg>", html, flags=re.DOTALL):
        colors = set(re.findall(r"(?:fill|stroke): ([^;\"]+)", figure))
        assert "var(--ink)" in colors and colors <= {"none"} | defined


def test_columns_can_be_sorted_by_buttons(page):
    heads = [head for head in page.all("th") if head["scope"] == "col"]
    assert len(heads) > 20
    orders = [head["aria-sort"] for head in heads]
    # The leaderboard is in the order of its first column.
    assert orders.count("ascending") == 1 and set(orders) == {"ascending", "none"}
    assert all("aria-sort" not in h for h in page.all("th") if h["scope"] == "row")
    n_in_heads = sum(
        page.elements[i - 1][0] == "th"
        for i, (tag, _) in enumerate(page.elements)
        if tag == "button"
    )
    assert n_in_heads == len(heads)


def test_all_contents_are_there(told, page):
    text = " ".join(page.texts)
    assert told.summary() in text
    assert told.best_params_["configuration"] in text
    for frame, column in (
        (told.leaderboard_, "configuration"), (told.findings_, "detail"),
        (told.explain().neighbors, "task"), (told.columns_, "kind"),
    ):  # fmt: skip
        for value in frame[column]:
            assert str(value) in text
    assert "must be a float in the range" in text  # why one has failed
    assert told.stop_reason_ in text and "scikit-learn" in text


def test_what_comes_from_the_data_is_escaped(told, html, page):
    assert len(page.all("script")) == 1 and page.all("em", "b", "i") == []
    assert MARKUP not in html and MARKUP in page.texts
    assert any("<em>mine $x$</em>" in text for text in page.texts)
    policy = next(m["content"] for m in page.all("meta") if "http-equiv" in m)
    assert "default-src 'none'" in policy and "script-src 'sha256-" in policy


def luminance(color):
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts
    ]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast_by_wcag(html, scheme):
    style = re.search("<style>(.*?)</style>", html, flags=re.DOTALL).group(1)
    blocks = re.findall(r":root \{(.*?)\}", style, flags=re.DOTALL)
    colors = dict(re.findall(r"--(\w+): (#\w{6})", blocks[scheme == "dark"]))
    for text in ("ink", "soft", "accent"):
        for paper in ("page", "card", "zebra", "good"):
            one, two = luminance(colors[text]), luminance(colors[paper])
            contrast = (max(one, two) + 0.05) / (min(one, two) + 0.05)
            assert contrast >= 4.5, (text, paper)


def test_file_is_replaced_and_the_same_for_a_restored_estimator(
    told, report, tmp_path, monkeypatch
):
    path = tmp_path / "<here>.html"
    path.write_text("an old one")
    restored = pickle.loads(pickle.dumps(told))
    again = restored.report(path)
    assert path.read_text(encoding="utf8") == again.html == str(again) == report.html
    assert again.path == path and restored.report_path_ == str(path)
    assert "&lt;here&gt;.html</a>" in restored._repr_html_()
    assert f'<a href="{path.as_uri()}">' in restored._repr_html_()
    monkeypatch.chdir(tmp_path)  # a notebook's folder
    assert '<a href="%3Chere%3E.html">' in restored._repr_html_()
    assert "iframe" in again._repr_html_() and MARKUP not in again._repr_html_()
    assert len(repr(again)) < 200


def test_bad_paths_are_refused_before_the_work(told, tmp_path, monkeypatch):
    monkeypatch.setattr(_html, "_page", lambda fitted: pytest.fail("too late"))
    with pytest.raises(FileNotFoundError, match="folder .* does not exist"):
        told.report(tmp_path / "no" / "report.html")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        told.report(str(tmp_path))
    with pytest.raises(NotFittedError):
        clone(told).report()


def test_without_matplotlib_there_are_no_figures(told, monkeypatch):
    for name in [n for n in sys.modules if n.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    page = Page(told.report().html)
    assert page.all("svg", "figure") == []
    assert any("Figures need matplotlib" in text for text in page.texts)


def test_report_of_a_search_that_found_nothing(nothing):
    page = Page(nothing.report().html)
    text = " ".join(page.texts)
    assert "Nothing could be evaluated" in text
    assert "No configuration has a score" in text  # why a figure is not there
    assert "must be a float in the range" in text
    assert "nan" not in text.lower().split()


def test_notebook_names_the_winner_and_its_score(told):
    assert "sk-meta-winner" not in clone(told)._repr_html_()
    for shown in (told._repr_html_(), told._repr_mimebundle_()["text/html"]):
        first, diagram = shown.split("</p>", 1)
        assert escape(told.best_params_["configuration"]) in first
        assert number(told.best_score_) in first
        assert "sk-container" in diagram
    assert "sk-meta-winner" not in make_pipeline(told)._repr_html_()
    with config_context(display="text"):
        assert "text/html" not in told._repr_mimebundle_()


def test_versions_are_those_that_are_installed(page):
    text = " ".join(page.texts)
    assert sklearn.__version__ in text and "not installed" not in text


def test_parameters_and_parts_in_words(told):
    assert changed(LogisticRegression(C=2.0)) == [("C", "2.0")]
    assert dict(changed(told))["cv"] == "3"
    for step in told.best_estimator_:
        assert all("0x" not in part for part in parts_of(step))


@pytest.mark.parametrize(
    "value, text",
    [(0.5, "0.5000"), (3, "3"), (1234567.8, "1,234,568"), (-0.0001234, "-0.0001234"),
     (float("nan"), "–"), (float("inf"), "–"), (999.96, "1000")],
)  # fmt: skip
def test_numbers_are_short(value, text):
    assert number(value) == text
