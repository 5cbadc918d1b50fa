#!/bin/bash
# Train by every GPU of one machine, or of several under Slurm; `mrirecon train` as for one.
#
#   examples/launch_gpus.sh runs/first --store store.h5 --set training.batch_size=8
#   sbatch --nodes=2 --ntasks-per-node=1 --gpus-per-node=4 examples/launch_gpus.sh runs/first ...
#   PROCESSES=2 examples/launch_gpus.sh runs/first --store store.h5 --device cpu    # a trial run
#
# A step sees processes x batch_size slices, and its losses are those of one process with that
# batch. Under Slurm, `#SBATCH --signal=TERM@120` saves the step 120 s before the time is up; the
# same command with --resume goes on, also with another number of processes if batch_size is set
# so that a step keeps its slices.
set -e
PROCESSES=${PROCESSES:-gpu}  # one for each GPU of the machine
if [ -n "$SLURM_JOB_NUM_NODES" ] && [ "$SLURM_JOB_NUM_NODES" -gt 1 ]; then
  first=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
  exec srun torchrun --nnodes "$SLURM_JOB_NUM_NODES" --nproc-per-node "$PROCESSES" \
    --rdzv-id "$SLURM_JOB_ID" --rdzv-backend c10d --rdzv-endpoint "$first:29500" \
    -m mrirecon train "$@"
fi
exec torchrun --standalone --nproc-per-node "$PROCESSES" -m mrirecon train "$@"
