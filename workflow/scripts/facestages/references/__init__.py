"""References: what people say of the faces, and what was recorded from their brains.

A reference of any source becomes one HDF5 file, in which pictures have the names of the face set.
"""

from facestages.references.files import Reference, read_reference
from facestages.references.prepare import prepare_reference

__all__ = ["Reference", "prepare_reference", "read_reference"]
