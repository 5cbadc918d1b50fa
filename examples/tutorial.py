"""From an image to a trained reconstruction, step by step: read it, run it, look at its pictures.

  python examples/tutorial.py --out tutorial        # about a minute on two CPU cores

The images are axial slices of the MNI T1 template, an average of 152 people, which nilearn carries:
pip install "mrirecon-torch[demo]".
"""

import argparse
from pathlib import Path

import torch
from matplotlib.figure import Figure
from torch import Tensor

from mrirecon import load
from mrirecon.cli.demo_data import prepare_demo_sets
from mrirecon.data import SliceDataset, SliceStore, simulate
from mrirecon.losses import LossConfig
from mrirecon.models import CnnConfig, Generator, GeneratorConfig, UnrolledConfig
from mrirecon.ops import ssim
from mrirecon.sampling import SamplingConfig, acceleration, make_mask
from mrirecon.training import TrainingConfig, read_records, train


def show(path: Path, images: dict[str, Tensor]) -> None:
    """Write real images (rows, cols) side by side, each with its title."""
    figure = Figure(figsize=(3.2 * len(images), 3.6), layout="constrained")
    for axes, (title, image) in zip(figure.subplots(1, len(images)), images.items(), strict=True):
        axes.imshow(image.numpy(), cmap="gray", vmin=0, vmax=1)
        axes.set_title(title, fontsize=10)
        axes.set_axis_off()
    figure.savefig(path, dpi=120)


def main() -> None:
    """Go through it all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("tutorial"))
    parser.add_argument("--steps", type=int, default=120)
    options = parser.parse_args()
    out: Path = options.out
    out.mkdir(parents=True, exist_ok=True)

    # 1. Data. `prepare` checks images and writes them into one file, a store, whose splits never
    #    share a person (here: a slab of the head). On the command line: mrirecon prepare.
    store_path = prepare_demo_sets(out / "data")[0].store
    store = SliceStore(store_path)
    print(f"store: {len(store.rows_of('train'))} slices to train on")

    # 2. Sampling. A mask is a function of its seed: the acceleration is what it has, measured.
    choices = {
        "lines": SamplingConfig("variable_density", acceleration=4),
        "points of a plane": SamplingConfig("poisson_disc", acceleration=4),
        "spokes": SamplingConfig("golden_angle", acceleration=4),
    }
    masks = {name: make_mask(config, (192, 192), seed=0) for name, config in choices.items()}
    show(
        out / "1_masks.png",
        {f"{n}, {acceleration(m):.2f}x": m.expand(192, 192).float() for n, m in masks.items()},
    )

    # 3. Measurement. `simulate` does to a batch what a scanner does: the target is the fully
    #    sampled image, `zero_filled` the image of the k-space that was measured.
    sampling = choices["lines"]
    batch = next(SliceDataset(store, "test").batches(4))
    measurement = simulate(batch, sampling, seed=0)
    target = measurement.target[:, 0]  # (batch, rows, cols)
    zero_filled = measurement.zero_filled[:, 0].abs()

    # 4. Network. Small networks and the measurement in turn, four times; `inside`: the losses see
    #    the image with the measured samples put back, so that it learns only what is missing.
    torch.manual_seed(0)
    network = UnrolledConfig(n_cascades=4, refinement=CnnConfig(width=16, n_layers=4))
    generator = Generator(GeneratorConfig(network, "inside"))

    # 5. Training, in a folder that holds logs and checkpoints. Stopped at any moment it goes on
    #    with resume=True, to the same numbers. On the command line: mrirecon train.
    config = TrainingConfig(
        steps=options.steps,
        batch_size=2,
        learning_rate=1e-3,
        schedule="cosine",
        losses=LossConfig(l1=1.0, ssim=1.0, adversarial=0.0),
        precision="auto",
        channels_last=True,
    )
    run = out / "run"
    is_old = (run / "metrics.jsonl").exists()
    dataset, device = SliceDataset(store, "train"), torch.device("cpu")
    train(run, generator, None, dataset, sampling, config, device=device, resume=is_old)

    # 6. Looking at it. The log is JSON lines; the loss of a single batch jumps, so take means.
    losses = torch.tensor([r["loss"] for r in read_records(run / "metrics.jsonl") if "loss" in r])
    figure = Figure(figsize=(5, 3), layout="constrained")
    axes = figure.subplots()
    axes.plot(losses.unfold(0, 10, 1).mean(1) if len(losses) > 10 else losses)
    axes.set(xlabel="step", ylabel="loss, mean of ten steps", yscale="log")
    figure.savefig(out / "2_losses.png", dpi=120)

    # 7. Result. `load` gives a run's generator in one line; every number names what it compares.
    trained = load(run)
    with torch.inference_mode():
        result = trained(measurement.zero_filled, measurement.mask).output[:, 0]
    for name, image in (("zero-filled", zero_filled), ("reconstructed", result)):
        error = (image - target).square().mean(dim=(1, 2))
        psnr = float((10 * torch.log10(1 / error)).mean())  # images are in [0, 1]
        structure = float(ssim(image, target, data_range=1.0, window="uniform").mean())
        print(f"{name}: PSNR {psnr:.2f} dB, SSIM {structure:.3f}")
    show(
        out / "3_result.png",
        {
            "fully sampled": target[0],
            "zero-filled": zero_filled[0],
            "reconstructed": result[0],
            "error of it, 5 times": 5 * (result[0] - target[0]).abs(),
        },
    )
    print(f"pictures: {out}/1_masks.png, 2_losses.png, 3_result.png")
    store.close()


if __name__ == "__main__":
    main()
