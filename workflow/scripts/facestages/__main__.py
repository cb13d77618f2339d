"""Before a run: ``facestages new FOLDER`` and ``facestages check CONFIG``."""

from __future__ import annotations

import argparse
import sys

from facestages.errors import FacestagesError


def main(arguments: list[str] | None = None) -> int:
    """Run a command; 1 if something is wrong."""
    parser = argparse.ArgumentParser("facestages", description="Before a run of the workflow.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    new = commands.add_parser("new", help="a config for a folder or a table of pictures")
    new.add_argument("source", help="folder of pictures, or a table (csv) of them")
    new.add_argument("--out", default="config", help="folder of the files (default: config)")
    check = commands.add_parser("check", help="what is wrong or missing in a config")
    check.add_argument("configs", nargs="+", metavar="config")
    given = parser.parse_args(arguments)
    try:
        if given.command == "new":
            from facestages.new_faces import new_config

            print("\n".join(new_config(given.source, given.out)))
        else:
            from facestages.doctor.check import check_config

            for path in given.configs:
                print("\n".join(check_config(path)))
    except FacestagesError as error:
        print(str(error), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
