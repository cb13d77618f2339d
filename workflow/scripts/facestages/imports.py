"""Libraries imported without the parts of theirs that are not used here."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def import_without(*modules: str) -> Iterator[None]:
    """Make every import of these modules in the block fail.

    A library that takes such a failure as "not installed" starts faster.
    """
    loaded = {module: sys.modules.get(module) for module in modules}
    sys.modules.update(dict.fromkeys(modules))
    try:
        yield
    finally:
        for module, before in loaded.items():
            if before is None:
                del sys.modules[module]
            else:
                sys.modules[module] = before
