"""What a built page would load from elsewhere: nothing should be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

# Elements that a browser loads by itself; a link is followed by a reader alone.
_LOADED = re.compile(r"<(?:script|link|img|iframe|source|video|audio)\b[^>]*>")
_ADDRESS = re.compile(r"""\b(?:src|href|srcset)=["']?((?:https?:)?//[^"'\s>]+)""")
_OF_STYLES = re.compile(r"""(?:url\(|@import\s+)["']?((?:https?:)?//[^"')\s]+)""")


def loaded_from_elsewhere(site: Path) -> Iterator[str]:
    """Lines that name a page or style sheet of a site, and an address that it loads."""
    for path in sorted(site.rglob("*.html")):
        for element in _LOADED.findall(path.read_text(encoding="utf-8")):
            for address in _ADDRESS.findall(element):
                yield f"{path.relative_to(site)} loads {address}"
    for path in sorted(site.rglob("*.css")):
        for address in _OF_STYLES.findall(path.read_text(encoding="utf-8")):
            yield f"{path.relative_to(site)} loads {address}"
