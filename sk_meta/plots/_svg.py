"""Displays as inline SVG, in colours that the page around them decides on."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any
from xml.etree import ElementTree

from ._display import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PINK,
    SKY,
    VERMILION,
    WIDTH,
    Display,
    roomy,
)

# Colours that occur nowhere else and stand for those of the page.
_INK, _GRID, _PAPER = "#010203", "#0a0b0c", "#fcfdfe"
_VARIABLES = {
    _INK: "ink", _GRID: "grid", _PAPER: "card",
    BLUE: "blue", ORANGE: "orange", GREEN: "green",
    PINK: "pink", SKY: "sky", VERMILION: "vermilion", GREY: "grey",
}  # fmt: skip
_STYLE: Any = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "sk_meta",
    "text.parse_math": False,
    "font.family": ["DejaVu Sans"],
    "font.size": 10.5,
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "axes.facecolor": _PAPER,
    "grid.color": _GRID,
    **dict.fromkeys(
        ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color",
         "ytick.color",), _INK,
    ),
}  # fmt: skip
_SVG = "{http://www.w3.org/2000/svg}"
_HREF = "{http://www.w3.org/1999/xlink}href"


def as_svg(display: Display, name: str) -> str:
    """Draw a display as an element for a page of HTML.

    Parameters
    ----------
    display : Display
    name : str
        For the identifiers in it, unique on the page.

    Returns
    -------
    str
        An ``svg`` element with the description of the display as its label. Its colours
        are the page's variables ``--ink``, ``--card``, ``--blue`` and so on.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    # Not by pyplot, which would show the figure in a notebook.
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    text = StringIO()
    with rc_context(_STYLE):
        figure = Figure(figsize=(WIDTH, display._height()), layout="constrained")
        roomy(figure)
        display.plot(ax=figure.subplots())
        figure.draw_without_rendering()  # which ticks there are depends on the layout
        figure.savefig(text, format="svg", metadata={"Date": None})
    return _for_page(text.getvalue(), name, display.describe())


def _for_page(svg: str, name: str, label: str) -> str:
    root = ElementTree.fromstring(svg)
    for child in root.findall("*"):
        if child.tag.endswith("metadata"):
            root.remove(child)
    for parent in list(root.iter()):
        for style in parent.findall(f"{_SVG}style"):
            parent.remove(style)  # it would hold for the whole page
    for element in root.iter():
        _adapt(element, name)
    for size in ("width", "height"):
        del root.attrib[size]
    root.attrib |= {"role": "img", "aria-label": label}
    # Inside HTML the namespace goes without saying.
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)
    return ElementTree.tostring(root, encoding="unicode")


def _adapt(element, name: str) -> None:
    """Own identifiers, and the colours and the font of the page."""
    own = element.attrib
    if "id" in own:
        own["id"] = f"{name}-{own['id']}"
    if _HREF in own:
        own["href"] = own.pop(_HREF).replace("#", f"#{name}-")
    if "clip-path" in own:
        own["clip-path"] = own["clip-path"].replace("#", f"#{name}-")
    if "style" in own:
        style = re.sub("'DejaVu Sans'.*?(?=;|$)", "system-ui, sans-serif", own["style"])
        for color, variable in _VARIABLES.items():
            style = re.sub(color, f"var(--{variable})", style, flags=re.IGNORECASE)
        own["style"] = style
