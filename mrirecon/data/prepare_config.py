"""How a source becomes a store."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from mrirecon.data.readers import ArrayOptions, SliceAxis, Split
from mrirecon.data.readers.nifti import require_slice_axis
from mrirecon.data.readers.picture import parse_channel
from mrirecon.data.splits import Fractions

Keep = Literal["magnitude", "complex"]
KEEP: tuple[Keep, ...] = get_args(Keep)


@dataclass(frozen=True)
class PrepareConfig:
    """How a source becomes a store."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    channel: str | int | None = None
    """Of colour pictures: pre, flair, post, red, green, blue, luminance or 0 to 2."""
    slice_axis: SliceAxis = "axial"
    """Axis along which NIfTI volumes are cut."""
    arrays: ArrayOptions | None = None
    """What .npy, .npz and .cfl files hold, which they do not tell themselves."""
    keep: Keep = "magnitude"
    """What the store holds: "magnitude" images, of whose coils the root of the sum of squares; or
    "complex" images of every coil, whose Fourier transform is the measured k-space."""
    splits: Fractions | Split | Mapping[str, Split] | None = None
    """Fractions of the persons for (train, val, test), one split for all, or the split of each
    subject; None keeps the source's own, or takes 0.8, 0.1 and 0.1."""
    seed: int = 0
    """Of the shuffle before persons are shared out by fractions."""
    stratify_by: tuple[str, ...] | None = None
    """Traits of which each split gets its share by fractions, the most important first: source,
    matrix, those of `Subject.traits`, and columns of `table`; None for `DEFAULT_TRAITS`."""
    table: str | None = None
    """CSV file of more traits, with a row for each person, see `find_strata`."""
    size: tuple[int, int] | None = None
    """(rows, cols) to crop and pad magnitudes to about the centre; None keeps each subject's."""
    drop_blank: bool = False
    """Leave out slices that show nothing, see `BLANK_AREA`."""
    drop_repeated: bool = False
    """Leave out slices whose pixels are those of an earlier slice, of any subject."""
    drop_damaged: bool = False
    """Leave out slices that cannot be read or hold NaN, Inf or negative values, and subjects of
    which nothing is left, instead of refusing them."""
    clip_negative: bool = False
    """Set values below 0 to 0 instead of refusing them."""
    licence: str | None = None
    """Text of the data's licence, for the store's provenance; None takes the files LICENSE, LICENCE
    or COPYING of the source's folders."""

    def __post_init__(self) -> None:
        """Check what can be checked without files."""
        parse_channel(self.channel)
        require_slice_axis(self.slice_axis)
        if self.keep not in KEEP:
            raise ValueError(f"keep: expected magnitude or complex, got {self.keep!r}")
        if self.size is not None and (len(self.size) != 2 or min(self.size) < 1):
            raise ValueError(f"size: expected two numbers of 1 or more, got {self.size}")
        if self.size is not None and self.keep == "complex":
            raise ValueError(
                "size: expected none with keep complex, since a crop changes what the lines of "
                f"k-space measure, got {self.size}"
            )
