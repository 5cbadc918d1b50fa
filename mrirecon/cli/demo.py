"""`mrirecon demo`: the whole route on real images, for a 1-D and a 2-D mask, in one report."""

from pathlib import Path
from typing import Annotated

import typer

from mrirecon.cli.demo_data import DemoSet, prepare_demo_sets
from mrirecon.cli.evaluate import make_section, print_scores, write_results
from mrirecon.cli.runs import CONFIG, choose_device, load_run, score_test_set
from mrirecon.cli.terminal import console, say
from mrirecon.cli.train import train_run
from mrirecon.config import load_config
from mrirecon.data import PrepareConfig, SliceDataset, SliceStore, prepare
from mrirecon.metrics import get_protocol
from mrirecon.training import alone

SETTINGS = Path(__file__).with_name("demo.yaml")
SAMPLINGS = {
    "lines": ("1-D: variable-density lines", ["sampling.strategy=variable_density"]),
    "plane": ("2-D: variable-density points", ["sampling.strategy=variable_density_2d"]),
}
SHORT_STEPS = 20
PROTOCOL = "per_slice"


def demo(
    out: Annotated[Path, typer.Option(help="Folder for stores, runs and the report.")] = Path(
        "runs/demo"
    ),
    data: Annotated[
        Path | None,
        typer.Option(help="Your own folder of images or NIfTI volumes, several subjects."),
    ] = None,
    channel: Annotated[str | None, typer.Option(help="Of your colour images.")] = None,
    short: Annotated[
        bool, typer.Option("--short", help="A few steps only, to see that everything works.")
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda[:n].")] = "auto",
) -> None:
    """Train a small GAN for two undersamplings on real MR images, score it, write a report.

    Started again after a stop, it goes on where it was.
    """
    chosen = choose_device(device)
    console.print("[bold]1 of 3[/]  preparing images")
    sets = _own_set(data, channel, out) if data else prepare_demo_sets(out / "data")
    sections = []
    for name, (title, sampling) in SAMPLINGS.items():
        console.print(f"[bold]2 of 3[/]  training: {title}")
        settings = [*sampling, f"store={sets[0].store}"]
        if short:
            settings.append(f"training.steps={SHORT_STEPS}")
        run = out / name
        train_run(
            run, load_config(SETTINGS, settings), alone(chosen), resume=(run / CONFIG).is_file()
        )
        trained = load_run(run, chosen)
        test_sets = []
        for entry in sets:
            with SliceStore(entry.store) as store:
                test_sets.append(
                    score_test_set(
                        trained,
                        SliceDataset(store, entry.split),
                        protocol=get_protocol(PROTOCOL),
                        name=entry.name,
                        description=entry.description,
                        device=chosen,
                        n_examples=1,
                    )
                )
        sections.append(make_section([trained], title, test_sets))
    console.print("[bold]3 of 3[/]  writing the report")
    introduction = (
        "A small generator was trained against a discriminator to reconstruct MR images from a "
        "quarter of their k-space, once for whole lines and once for single points. K-space was "
        "simulated from magnitude images. This page compares it with the zero-filled images it "
        "was given."
    )
    write_results(out, "mrirecon demo", introduction, sections)
    print_scores([t.evaluation for section in sections for t in section.test_sets])
    say(f"report: {(out / 'report.html').resolve()}")


def _own_set(data: Path, channel: str | None, out: Path) -> list[DemoSet]:
    """Prepare a person's own folder; its test split is scored, or its val split without one."""
    store = out / "data" / "own.h5"
    if not store.exists():
        prepare(data, store, PrepareConfig(channel=channel, drop_blank=True))
    with SliceStore(store) as opened:
        held_out = [split for split in ("test", "val") if split in opened.splits]
    if not held_out:
        raise ValueError(f"{data}: expected a split test or val to score, got train alone")
    description = f"Split {held_out[0]} of {data}; none of its subjects was trained on."
    return [DemoSet(store, held_out[0], "own images", description)]
