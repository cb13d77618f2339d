"""Calls that must be refused."""

import pytest

from facestages.errors import FacestagesError


def refusal(function, *args, **options):
    """Call what must be refused; return the message, which has one or two lines."""
    with pytest.raises(FacestagesError) as caught:
        function(*args, **options)
    message = str(caught.value)
    assert len(message.splitlines()) <= 2
    return message
