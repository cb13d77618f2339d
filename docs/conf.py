"""Settings of Sphinx: `make docs` builds the pages in this folder into `_build/html`."""

import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS.parent), str(DOCS.parent / "workflow" / "scripts")]

from docs.pages import api, draw_pictures, fill_in  # noqa: E402
from docs.pages.outside import loaded_from_elsewhere  # noqa: E402
from sphinx.util import logging  # noqa: E402

import facestages  # noqa: E402

project = "facestages"
author = "the authors of facestages"
copyright = "the authors of facestages; MIT licence"
version = release = facestages.__version__

extensions = ["myst_parser", "numpydoc", "sphinx.ext.autodoc"]
exclude_patterns = ["_build"]
nitpicky = True
# In docstrings, names of the front door are links; those of functions behind it have no page.
default_role = "py:obj"
nitpick_ignore_regex = [("py:obj", ".*")]

# Two hyphens stay two: they stand before options of commands.
smartquotes_action = "qe"

# Headings are targets of links, as on GitHub, where the same pages are read.
myst_heading_anchors = 4

# The docstrings tell types in words.
autodoc_typehints = "none"
numpydoc_show_class_members = False

# All that a page needs lies beside it: no fonts, scripts or counters from elsewhere.
html_theme = "pydata_sphinx_theme"
html_title = "facestages"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_sidebars = {"gallery": [], "tutorial": []}
html_theme_options = {
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}


def setup(app):
    """Fill in the parts of pages that are made from their sources, and look at what was built."""

    def prepare(app):
        draw_pictures(DOCS / "_build" / "pictures")
        api.write_pages(DOCS / "_api")

    def read(app, name, text):
        text[0] = fill_in(text[0])

    def check(app, error):
        for line in [] if error else loaded_from_elsewhere(Path(app.outdir)):
            logging.getLogger(__name__).warning("%s", line)

    app.connect("builder-inited", prepare)
    app.connect("source-read", read)
    app.connect("build-finished", check)
