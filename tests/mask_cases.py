"""Shapes that every operator with a mask is tested on."""

# k-space shape, mask shape: odd and even sizes, one coil, every way to broadcast, empty batch,
# rows longer than the CPU's chunk of 256
CASES = [
    ((2, 3, 16, 20), (20,)),
    ((2, 3, 17, 19), (19,)),
    ((2, 3, 17, 19), (17, 1)),
    ((1, 1, 17, 19), (17, 19)),
    ((4, 1, 17, 33), (4, 17, 33)),
    ((4, 2, 8, 33), (4, 1, 33)),
    ((4, 2, 8, 33), (1, 8, 1)),
    ((5, 7), (7,)),
    ((3, 5, 7), (3, 5, 7)),
    ((2, 3, 521), (521,)),
    ((0, 2, 5, 7), (7,)),
    ((2, 0, 7), (7,)),
    ((2, 3, 0), (1,)),
    ((1, 1, 1, 1), (1,)),
]
