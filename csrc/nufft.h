// Non-uniform Fourier transform: kspace(m) = sum over r of image(r) exp(-2 pi i k(m) (r - c) / n) /
// sqrt(n), by a fast Fourier transform on a finer grid and a sum over the grid points near k(m)
// (Fessler and Sutton 2003, DOI 10.1109/TSP.2002.807005).
//
// Axes are (depth, rows, cols); those that a transform of fewer dimensions lacks have size 1 and
// come first. `grid` is the finer grid, of which point g stands for image index r = g + n / 2.
#pragma once

#include <array>
#include <cstdint>

#include "host_device.h"

namespace mrirecon {

// Images that a CPU transforms together. With eight, gridding takes fewer steps for each, but their
// columns leave the second cache: forward took 1.4 times as long, the adjoint 0.9 times, for 16
// images of 256 x 256 on one core.
constexpr int kChunkImages = 4;
constexpr int kSampleTask = 4096;  // samples sorted at a time
constexpr int kMaxWidth = 16;      // taps along an axis
constexpr int kBandRows = 16;      // samples are sorted by bands of so many grid rows,
constexpr int kSlabPlanes = 4;     // and by slabs of so many planes of a volume
constexpr int kBinCols = 16;       // and by so many columns; within that by column

// The degree of the taps' polynomials: below the error of any kernel of the width, at any
// oversampling up to 2 (measured: mrirecon/nufft/kernel.py).
MRIRECON_HD constexpr int tap_degree(int width) { return (width + 1) / 2 + 5; }

// Where the samples lie, sorted, and how the kernel is evaluated. All made once (mrirecon/nufft).
template <class T>
struct NufftPlan {
  int64_t shape[3], grid[3];  // (depth, rows, cols) of the image and of the grid
  int64_t n_axes, n_samples;
  int64_t width;             // taps along each of n_axes axes
  bool is_shared;            // one trajectory for the whole batch
  const int32_t* starts;     // (trajectories, samples, axes), the first tap's grid point
  const T* offsets;          // (trajectories, samples, axes), of the taps, in [-1/2, 1/2)
  const int32_t* positions;  // (trajectories, samples), where a sample stands once sorted
  const int32_t* bins;       // (trajectories, n_bins() + 1), the first sorted sample of each bin
  const T* taps;             // (tap_degree + 1, kMaxWidth), coefficients, highest power first;
                             // of up to eight taps twice
  const T* apodisation;      // (depth + rows + cols,), what the image is multiplied with
  const Complex<T>* roots;   // (grid depth + rows + cols,), exp(-2 pi i j / n)

  MRIRECON_HD bool is_volume() const { return n_axes == 3; }
  MRIRECON_HD int64_t n_pixels() const { return shape[0] * shape[1] * shape[2]; }
  MRIRECON_HD int64_t n_slabs() const { return (grid[0] + kSlabPlanes - 1) / kSlabPlanes; }
  MRIRECON_HD int64_t n_bands() const { return (grid[1] + kBandRows - 1) / kBandRows; }
  MRIRECON_HD int64_t n_bin_cols() const { return (grid[2] + kBinCols - 1) / kBinCols; }
  MRIRECON_HD int64_t n_bins() const { return n_slabs() * n_bands() * n_bin_cols(); }

  // The plan of one trajectory.
  MRIRECON_HD NufftPlan of(int64_t trajectory) const {
    NufftPlan one = *this;
    one.starts += trajectory * n_samples * n_axes;
    one.offsets += trajectory * n_samples * n_axes;
    one.positions += trajectory * n_samples;
    one.bins += trajectory * (n_bins() + 1);
    return one;
  }
  MRIRECON_HD const T* axis_apodisation(int axis) const {
    return apodisation + (axis > 0 ? shape[0] : 0) + (axis > 1 ? shape[1] : 0);
  }
  MRIRECON_HD const Complex<T>* axis_roots(int axis) const {
    return roots + (axis > 0 ? grid[0] : 0) + (axis > 1 ? grid[1] : 0);
  }
};

// The transform, its adjoint, or both in one: a convolution of the images.
enum class NufftMode { forward, adjoint, normal };

// What is done with a chunk of images; each mode is three of these.
enum class NufftStep {
  read_images,    // and transform their columns
  interpolate,    // transform rows, and interpolate samples
  convolve,       // transform rows, weight the grid, and transform back
  spread,         // spread samples, and transform rows back
  write_images,   // after transforming the columns back
  write_samples,  // in the caller's order
  read_samples
};

// Images are (batch, coils, pixels); with maps (batch, pixels), and each coil sees them times its
// map.
template <class T>
struct NufftWork {
  NufftMode mode;
  NufftPlan<T> plan;
  int64_t batch, coils;
  const Complex<T>* coil_maps;  // (batch or 1, coils, pixels), or null
  bool maps_are_shared;         // by the whole batch
  const Complex<T>* image;      // read
  const Complex<T>* kspace;     // (batch, coils, samples), read
  Complex<T>* image_out;
  Complex<T>* kspace_out;
  const T* transfer;       // (batch or 1, depth, rows / 8, cols, 8) of the grid, of a convolution
  int64_t transfer_batch;  // 1: shared

  // Images of one trajectory and one set of maps are a group; a chunk is up to kChunkImages of a
  // group.
  MRIRECON_HD bool is_grouped() const { return coil_maps || !plan.is_shared || transfer_batch > 1; }
  MRIRECON_HD int64_t group_size() const { return is_grouped() ? coils : batch * coils; }
  MRIRECON_HD int64_t n_groups() const { return is_grouped() ? batch : 1; }
  // A convolution has no gridding to share, and its larger grid is best kept in the caches.
  MRIRECON_HD int64_t chunk_images() const { return mode == NufftMode::normal ? 1 : kChunkImages; }
  MRIRECON_HD int64_t chunks_in_group() const {
    return (group_size() + chunk_images() - 1) / chunk_images();
  }
  std::array<NufftStep, 3> steps() const {  // of each chunk
    using S = NufftStep;
    if (mode == NufftMode::forward) return {S::read_images, S::interpolate, S::write_samples};
    if (mode == NufftMode::adjoint) return {S::read_samples, S::spread, S::write_images};
    return {S::read_images, S::convolve, S::write_images};
  }
  MRIRECON_HD int64_t n_chunks() const { return n_groups() * chunks_in_group(); }

  // A unit is what one thread must do alone: a chunk, or a group where its chunks are summed.
  MRIRECON_HD int64_t chunks_in_unit() const {
    return coil_maps && mode != NufftMode::forward ? chunks_in_group() : 1;
  }
};

// A chunk of images, and how the CPU lays it out: eight lanes hold `images` images, and 8 / images
// rows of each.
template <class T>
struct NufftChunk {
  NufftPlan<T> plan;  // of the chunk's trajectory
  int64_t group, first, count, images;

  MRIRECON_HD NufftChunk(const NufftWork<T>& work, int64_t index)
      : plan(work.plan.is_shared ? work.plan : work.plan.of(index / work.chunks_in_group())),
        group(index / work.chunks_in_group()),
        first(index % work.chunks_in_group() * work.chunk_images()),
        count(work.group_size() - first < work.chunk_images() ? work.group_size() - first
                                                              : work.chunk_images()),
        images(count > 2 ? 4 : count) {}

  // Columns transformed along the outer axis: of the depth of a volume, of the rows of an image.
  MRIRECON_HD int64_t n_outer() const { return plan.grid[plan.is_volume() ? 0 : 1]; }
  MRIRECON_HD int64_t n_middle() const { return plan.is_volume() ? plan.shape[1] : 1; }
  MRIRECON_HD int64_t n_col_blocks() const { return (plan.shape[2] + 7) / 8; }  // of eight columns
  MRIRECON_HD int64_t columns_size() const {
    return n_col_blocks() * images * n_outer() * n_middle() * 8;
  }
  MRIRECON_HD int64_t samples_size() const { return plan.n_samples * images; }

  // Tasks of a step, for `n_threads` to share.
  int64_t n_tasks(NufftStep step, int64_t n_threads) const {
    switch (step) {
      case NufftStep::read_images:
      case NufftStep::write_images:
        return n_col_blocks() * n_middle();
      case NufftStep::read_samples:
      case NufftStep::write_samples:
        return (plan.n_samples + kSampleTask - 1) / kSampleTask;
      case NufftStep::convolve:
        return plan.is_volume() ? plan.grid[0] : (plan.grid[1] + 7) / 8;
      default:
        return n_threads;  // bands of rows, as many to each as makes equal work
    }
  }
};

// On the CPU: whole chunks, each by one thread. An item is a unit.
template <class T>
struct NufftUnits {
  NufftWork<T> work;
  int64_t first, count;

  int64_t n_items() const { return count; }
  int64_t item_size() const { return INT64_MAX; }
};

// On the CPU: one step of one chunk, by all threads. An item is a task.
template <class T>
struct NufftTasks {
  NufftWork<T> work;
  int64_t chunk;
  NufftStep step;
  int64_t n_tasks;
  void *columns, *samples;  // working memory of the chunk

  int64_t n_items() const { return n_tasks; }
  int64_t item_size() const { return INT64_MAX; }
};

}  // namespace mrirecon
