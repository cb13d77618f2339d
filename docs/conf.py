"""Settings of Sphinx: `make docs` builds the pages in this folder into `_build/html`."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "workflow" / "scripts")]

import facestages  # noqa: E402

project = "facestages"
author = "the authors of facestages"
copyright = "the authors of facestages; MIT licence"
version = release = facestages.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
]
exclude_patterns = ["_build", "results/README.md"]

# Headings are targets of links, as on GitHub, where the same pages are read.
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence", "dollarmath"]

# The types stand in the docstrings, in words.
autodoc_typehints = "none"
numpydoc_show_class_members = False
nitpicky = True

html_theme = "pydata_sphinx_theme"
html_title = "facestages"
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "show_prev_next": True,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
}
