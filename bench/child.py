"""A process that makes one measurement: ``python -m bench.child MODULE FUNCTION ARGUMENTS OUT``."""

import importlib
import json
import sys
from pathlib import Path

if __name__ == "__main__":
    module, function, arguments, out = sys.argv[1:]
    result = getattr(importlib.import_module(module), function)(**json.loads(arguments))
    Path(out).write_text(json.dumps(result))
