"""Train an unrolled network at full throughput, with a loop of one's own instead of the command.

  mrirecon prepare IMAGES --out store.h5
  python examples/train_fast.py store.h5 --steps 2000 --out generator.safetensors
  torchrun --nproc-per-node 4 examples/train_fast.py store.h5 --steps 2000   # one process a GPU

The store is a memory map, read ahead by a thread; slices are scaled, undersampled and transformed
on the device, whole batches at a time; nothing in the loop waits for the device but the print.
"""

import argparse
import time
from itertools import count, islice
from pathlib import Path

import torch
from safetensors.torch import save_file

from mrirecon.data import SliceDataset, SliceStore
from mrirecon.losses import LossConfig
from mrirecon.models import CnnConfig, Generator, GeneratorConfig, UnrolledConfig
from mrirecon.native import keep_freed_memory
from mrirecon.sampling import SamplingConfig
from mrirecon.training import TrainingConfig, joined_ranks, make_state, training_step
from mrirecon.training.batch import measure_batch

NETWORK = UnrolledConfig(n_cascades=4, refinement=CnnConfig(width=32, n_layers=4))
SAMPLING = SamplingConfig("variable_density", acceleration=4)


def main() -> None:
    """Train as the options say."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("store", type=Path)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=4, help="slices at once, on each process")
    parser.add_argument("--out", type=Path, default=Path("generator.safetensors"))
    options = parser.parse_args()

    keep_freed_memory()  # mapping fresh memory for every batch would take longer than most kernels
    config = TrainingConfig(
        batch_size=options.batch,
        losses=LossConfig(l1=1.0, ssim=1.0, adversarial=0.0),
        precision="auto",  # bfloat16 where the processor multiplies it
        channels_last=True,  # what convolutions like best
    )
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    with joined_ranks(device) as ranks, SliceStore(options.store) as store:
        torch.manual_seed(config.seed)
        generator = Generator(GeneratorConfig(NETWORK, "inside"))
        state = make_state(generator, None, config, ranks.device)
        for group in state.generator_optimizer.param_groups:
            group["lr"] = 1e-3
        dataset = SliceDataset(store, "train", rank=ranks.rank, world_size=ranks.world_size)
        batches = (
            (epoch, batch)
            for epoch in count()
            for batch in dataset.batches(options.batch, epoch=epoch, shuffle=True, drop_last=True)
        )
        start = time.perf_counter()
        for epoch, batch in islice(batches, options.steps):
            moved = batch.to(ranks.device)
            measured = measure_batch(moved, SAMPLING, config, step=state.step, epoch=epoch)
            terms = training_step(state, measured, config, ranks=ranks)
            state.step += 1
            if state.step % 50 == 0 or state.step == options.steps:
                loss = float(terms["loss"])  # waits for the device, so now and then
                rate = state.step * options.batch * ranks.world_size / (time.perf_counter() - start)
                if ranks.is_first:
                    print(f"step {state.step}: loss {loss:.4f}, {rate:.1f} images/s", flush=True)
        if ranks.is_first:
            weights = state.average.state_dict()
            save_file({name: w.cpu().contiguous() for name, w in weights.items()}, options.out)


if __name__ == "__main__":
    main()
