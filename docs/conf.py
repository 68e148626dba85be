"""How the documentation is built: python -m sphinx -W -b html docs docs/_build/html.

SPHINX_GALLERY=0 in the environment shows the examples without running them.
"""

import os

import sk_meta

project = "sk_meta"
author = "The sk_meta developers"
copyright = author
version = release = sk_meta.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx-mathjax-offline",  # formulas without a network
    "sphinx.ext.viewcode",
    "matplotlib.sphinxext.plot_directive",
    "numpydoc",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "tutorial", "auto_tutorial/index.rst"]
templates_path = ["_templates"]
default_role = "code"
nitpicky = True
# Types in the signatures of numpydoc are words, not all of them names to link to.
nitpick_ignore_regex = [("py:.*", r"(?!sk_meta).*")]

autosummary_generate = True
autodoc_default_options = {"members": True, "inherited-members": True}
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

sphinx_gallery_conf = {
    "examples_dirs": ["../examples", "tutorial"],
    "gallery_dirs": ["auto_examples", "auto_tutorial"],
    "filename_pattern": r"/(\d\d_|tutorial)",
    "plot_gallery": os.environ.get("SPHINX_GALLERY", "1") != "0",
    "abort_on_example_error": True,
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "show_signature": False,
    "remove_config_comments": True,
}

plot_html_show_source_link = plot_html_show_formats = False
plot_formats = [("png", 150)]

html_theme = "pydata_sphinx_theme"
html_title = f"sk_meta {release}"
html_theme_options = {
    "show_prev_next": False,
    "navbar_align": "left",
    "header_links_before_dropdown": 7,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {
    "auto_tutorial/tutorial": [],
    "algorithm": [],
    "faq": [],
    "comparison": [],
    "limits": [],
}
html_show_sourcelink = False
html_copy_source = False
