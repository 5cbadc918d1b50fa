// How the threads of csrc/cuda/instance_norm.cu share out features, and sum over them. A block owns
// one chunk of rows and a group of channels; a thread owns a few neighbouring channels of every so
// many pixels, so that it reads 16 bytes at once, keeps in registers what belongs to the channels,
// and neighbouring threads read neighbouring memory. Of planes of one channel it owns neighbouring
// pixels instead.
#pragma once

#include <cstdint>

#include "../instance_norm.h"
#include "../portable.h"

namespace mrirecon {
namespace {

constexpr int kThreads = 256;  // four 16-byte reads of bfloat16 for each thread in a chunk
constexpr int kSide = 32;      // threads on channels, at most: a warp then reads 512 bytes in a row

template <class T>
constexpr int kWidest = 16 / sizeof(T);  // numbers in an access

template <class T, int width>
struct alignas(width * sizeof(T)) Numbers {
  T value[width];
};

template <int width, class T>
__device__ Numbers<Real<T>, width> load(const T* source) {
  const auto narrow = *reinterpret_cast<const Numbers<T, width>*>(source);
  Numbers<Real<T>, width> wide;
  for (int i = 0; i < width; ++i) wide.value[i] = widen(narrow.value[i]);
  return wide;
}

template <int width, class T>
__device__ void store(const Numbers<Real<T>, width>& wide, T* target) {
  Numbers<T, width> narrow;
  for (int i = 0; i < width; ++i) narrow.value[i] = Narrow<T>::of(wide.value[i]);
  *reinterpret_cast<Numbers<T, width>*>(target) = narrow;
}

// Threads beside each other on channels, and blocks beside each other on the rest of them.
struct Sharing {
  int64_t parts;  // `width` channels each
  int side;

  MRIRECON_HD Sharing(const NormExtent& extent, int width)
      : parts(extent.channels == 1 ? 1 : extent.channels / width),
        side(parts < kSide ? static_cast<int>(parts) : kSide) {}

  MRIRECON_HD int64_t n_blocks() const { return (parts + side - 1) / side; }
};

// What a thread owns: unit `first` of a chunk's rows and every `step`-th after it. A unit is
// `width` channels of one pixel, or of planes of one channel, `width` pixels.
template <int width>
struct Place {
  int64_t image, chunk, channel, first_row;
  int unit_size;            // numbers from one unit to the next
  int column, first, step;  // `column` of threads with the same channels
  int n_units;              // 0 for a thread without channels
  int side;
  bool is_planar;

  // Of chunks of rows that have `row_size` numbers.
  __device__ Place(const NormExtent& extent, int64_t n_chunks, int64_t n_rows, int64_t row_size) {
    const Sharing sharing(extent, width);
    const int64_t item = blockIdx.x / sharing.n_blocks();
    image = item / n_chunks;
    chunk = item % n_chunks;
    first_row = chunk * extent.chunk_rows();
    is_planar = extent.channels == 1;
    side = sharing.side;
    column = threadIdx.x % side;
    first = threadIdx.x / side;
    step = kThreads / side;
    const int64_t part = blockIdx.x % sharing.n_blocks() * side + column;
    channel = is_planar ? 0 : part * width;
    unit_size = is_planar ? width : static_cast<int>(extent.channels);
    const int64_t left = n_rows - first_row;
    const int64_t rows = left < extent.chunk_rows() ? left : extent.chunk_rows();
    const bool is_busy = part < sharing.parts && first < step;
    n_units = is_busy ? static_cast<int>(rows * row_size / unit_size) : 0;
  }

  // The number of `values`, (images, channels), that belongs to a lane.
  template <class S>
  __device__ S of_channel(const S* values, int64_t channels, int lane) const {
    return values[image * channels + (is_planar ? 0 : channel + lane)];
  }
};

// The channels' values for one thread.
template <class S, int width>
struct ThreadChannels {
  S mean[width], rstd[width], keep[width], slope;

  __device__ ThreadChannels(const NormChannels<S>& channels, const Place<width>& place,
                            int64_t n_channels)
      : slope(channels.slope ? *channels.slope : S(1)) {
    if (place.n_units == 0) return;
    for (int i = 0; i < width; ++i) {
      mean[i] = place.of_channel(channels.mean, n_channels, i);
      rstd[i] = place.of_channel(channels.rstd, n_channels, i);
      keep[i] = channels.keep ? place.of_channel(channels.keep, n_channels, i) : S(1);
    }
  }

  __device__ S normal(S x, int lane) const { return (x - mean[lane]) * rstd[lane]; }
};

// Sums over the threads of a column, in shared memory.
template <class S, int n>
struct ColumnSums {
  S value[n][kThreads];
};

// `sums`, n for each lane, of all threads of the column, in every thread. A plane has one channel,
// whose sum is lane 0's.
template <int n, int width, class S>
__device__ void sum_columns(S (&sums)[n][width], const Place<width>& place) {
  auto& memory = shared_memory<ColumnSums<S, n * width>>();
  if (place.is_planar)
    for (int k = 0; k < n; ++k)
      for (int lane = 1; lane < width; ++lane) sums[k][0] += sums[k][lane];
  const int n_lanes = place.is_planar ? 1 : width;
  __syncthreads();  // the memory may still be read from an earlier call
  for (int k = 0; k < n; ++k)
    for (int lane = 0; lane < width; ++lane)
      if (lane < n_lanes) memory.value[k * width + lane][threadIdx.x] = sums[k][lane];
  for (int half = kThreads / 2; half > 0; half /= 2) {
    __syncthreads();
    if (place.first >= half || place.first + half >= place.step) continue;
    for (int k = 0; k < n; ++k)
      for (int lane = 0; lane < width; ++lane)
        if (lane < n_lanes)
          memory.value[k * width + lane][threadIdx.x] +=
              memory.value[k * width + lane][threadIdx.x + half * place.side];
  }
  __syncthreads();
  for (int k = 0; k < n; ++k)
    for (int lane = 0; lane < width; ++lane)
      sums[k][lane] = memory.value[k * width + (lane < n_lanes ? lane : 0)][place.column];
}

// Write n numbers for each channel of a thread to partials, (images, n_chunks, n, channels).
template <int n, int width, class S>
__device__ void write_partials(const S (&sums)[n][width], const Place<width>& place,
                               const NormExtent& extent, S* partials) {
  if (place.first != 0 || place.n_units == 0) return;
  const int n_lanes = place.is_planar ? 1 : width;
  S* to = partials + (place.image * extent.n_chunks() + place.chunk) * n * extent.channels;
  for (int k = 0; k < n; ++k)
    for (int lane = 0; lane < width; ++lane)
      if (lane < n_lanes) to[k * extent.channels + place.channel + lane] = sums[k][lane];
}

}  // namespace
}  // namespace mrirecon
