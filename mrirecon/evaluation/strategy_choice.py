"""Rank compared sampling strategies, and say in words which to take and why."""

from collections.abc import Sequence

from mrirecon.evaluation.strategies import StrategyResult

VISIBLE_COPY, NOISE_LIKE = 0.4, 0.1
"""Of the anatomy's brightness: above the first a side lobe is seen as a copy, below the second all
of them look like noise."""
QUICK = 1.25
"""Times the shortest scan: as much as whole numbers of readouts differ."""
LONG_READOUT = 5e-3
"""[s]: 100 Hz off resonance turn the phase by half a cycle."""


def rank_strategies(results: Sequence[StrategyResult]) -> list[StrategyResult]:
    """Sort: playable before unplayable, then by the SSIM of the better reconstruction."""
    return sorted(
        results, key=lambda result: (not result.feasibility.is_playable, -result.best_score.ssim)
    )


def explain_choice(results: Sequence[StrategyResult]) -> str:
    """Say in a sentence or two which strategy to take, and why.

    Args:
        results: at least one, as ranked.
    """
    best, profile = results[0], results[0].feasibility.profile.name
    playable = [result for result in results if result.feasibility.is_playable]
    if not playable:
        return f"{profile} can play none of them. {best.name}: {best.feasibility.problems[0]}."
    time = f"{best.feasibility.scan_time:.3g} s instead of {best.feasibility.full_scan_time:.3g} s"
    text = (
        f"{best.name}: SSIM {best.best_score.ssim:.3f} with {best.best_method}, the highest of the "
        f"{len(playable)} that {profile} can play, in {time}"
    )
    if len(playable) > 1:
        second = playable[1]
        text += f"; next is {second.name} with {second.best_score.ssim:.3f}"
    text += _explain_time(playable)
    others = [result for result in results if not result.feasibility.is_playable]
    if others and others[0].best_score.ssim > best.best_score.ssim:
        better = others[0]
        text += (
            f". {better.name} would reach {better.best_score.ssim:.3f}, but "
            f"{better.feasibility.problems[0]}"
        )
    return f"{text}."


def _explain_time(playable: Sequence[StrategyResult]) -> str:
    """Name the best of the quick ones if the best takes longer, as points of a slab may."""
    times = [result.feasibility.scan_time for result in playable]
    quick = [result for result in playable if result.feasibility.scan_time <= QUICK * min(times)]
    if quick[0] is playable[0]:
        return ""
    return (
        f"; of those that take {QUICK * min(times):.3g} s or less the best is {quick[0].name} "
        f"with {quick[0].best_score.ssim:.3f}"
    )


def explain_result(result: StrategyResult) -> str:
    """Say in one sentence what there is to know of a strategy beside its scores."""
    peak, readout = result.side_lobes.peak, result.feasibility.readout_time
    if result.feasibility.problems:
        return "; ".join(result.feasibility.problems)
    if peak >= VISIBLE_COPY:
        return f"copies of the anatomy, up to {peak:.0%} as bright"
    text = f"side lobes up to {peak:.0%}"
    text += ": aliasing looks like noise" if peak < NOISE_LIKE else ": streaks rather than copies"
    if readout > LONG_READOUT:
        text += f"; readouts of {1e3 * readout:.3g} ms blur where the magnetic field is uneven"
    return text
