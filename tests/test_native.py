import pytest

from mrirecon import native


def test_the_best_level_is_in_use_and_each_can_be_chosen() -> None:
    levels = native.simd_levels()
    assert levels[0] == "baseline"
    assert native.simd_level() == levels[-1]
    for level in levels:
        native.set_simd_level(level)
        assert native.simd_level() == level


def test_an_unknown_level_is_refused_and_changes_nothing() -> None:
    before = native.simd_level()
    with pytest.raises(ValueError, match=r"level: expected one of .* got 'mmx'"):
        native.set_simd_level("mmx")  # type: ignore[arg-type]
    assert native.simd_level() == before


def test_build_facts_are_text() -> None:
    assert native.compiler()
    assert all(name[:2].isdigit() for name in native.cuda_architectures())
