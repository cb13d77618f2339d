"""Functions of the user's that build a network, called by their address."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import sys
from collections.abc import Iterator
from typing import Any

from facestages.errors import FacestagesError, name_error, shorten
from facestages.networks.forward_passes import user_line

logger = logging.getLogger(__name__)

# What modules of torch and models of Keras have, and functions do not.
_OF_NETWORKS = "get_submodule", "get_layer"


def call_function(address: str, *args: Any, where: str, **options: Any) -> Any:
    """Call ``package.module:function``, which may lie where the workflow runs.

    Parameters
    ----------
    address : str
        ``package.module:function``.
    where : str
        The key of the config that gives the address, for error messages.
    *args, **options
        Arguments of the function.

    Raises
    ------
    FacestagesError
        If there is no such function, or its import or the call fails.
    """
    module_name, _, function = address.partition(":")
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    with _refused(f"{where} = '{address}': importing it failed"):
        try:
            loaded = importlib.import_module(module_name)
        except ModuleNotFoundError as error:
            # Another module that is missing is one that the user's code imports.
            if not f"{module_name}.".startswith(f"{error.name}."):
                raise
            raise _no_function(where, address, error) from error
    try:
        build = getattr(loaded, function)
    except AttributeError as error:
        raise _no_function(where, address, error) from error
    if not isinstance(build, type) and any(hasattr(build, each) for each in _OF_NETWORKS):
        raise FacestagesError(
            f"{where} = '{address}': is a {type(build).__name__}, not a function. Name one that "
            f"returns it: def build(): return {function}"
        )
    with _refused(f"{where} = '{address}': calling it without arguments failed"):
        return build(*args, **options)


@contextlib.contextmanager
def _refused(problem: str) -> Iterator[None]:
    """Make one line of whatever the user's code fails with."""
    try:
        yield
    except FacestagesError:
        raise
    except (Exception, SystemExit) as error:
        logger.info("%s", problem, exc_info=True)
        raise FacestagesError(f"{problem}: {name_error(error)}{user_line(error)}") from error


def _no_function(where: str, address: str, error: Exception) -> FacestagesError:
    return FacestagesError(
        f"{where} = '{address}': {shorten(error, 200)}. Give package.module:function, importable "
        f"from where the workflow runs"
    )
