"""The one wording of what a description of sampling may not be."""


def expect(name: str, holds: bool, wanted: str, got: object) -> None:
    """Refuse a value.

    Raises:
        ValueError: "name: expected wanted, got got", unless it holds.
    """
    if not holds:
        raise ValueError(f"{name}: expected {wanted}, got {got}")
