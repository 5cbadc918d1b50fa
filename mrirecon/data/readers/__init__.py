"""Read MR images from files: one function for every kind."""

from mrirecon.data.readers.arrays import ArrayOptions, Contents
from mrirecon.data.readers.nifti import SliceAxis, write_nifti_like
from mrirecon.data.readers.picture import ChannelError
from mrirecon.data.readers.registry import read_source
from mrirecon.data.readers.subject import (
    SPLITS,
    Image,
    SliceHeader,
    Source,
    Split,
    Subject,
)

__all__ = [
    "SPLITS",
    "ArrayOptions",
    "ChannelError",
    "Contents",
    "Image",
    "SliceAxis",
    "SliceHeader",
    "Source",
    "Split",
    "Subject",
    "read_source",
    "write_nifti_like",
]
