#include "../nufft.h"

#include "../scratch.h"
#include "items.h"
#include "nufft_columns.h"
#include "nufft_convolve.h"
#include "nufft_slices.h"

namespace mrirecon {
inline namespace MRIRECON_SIMD {

// --- steps: each runs the tasks [begin, end) of a chunk

template <int images, class T>
void run_columns(const Chunk<T>& chunk, NufftStep step, int64_t begin, int64_t end) {
  const ColumnPass<images, T> pass(chunk);
  for (int64_t task = begin; task < end; ++task)
    step == NufftStep::read_images ? pass.forward(task) : pass.adjoint(task);
}

template <class T>
void run_convolution(const Chunk<T>& chunk, int64_t begin, int64_t end) {
  const ConvolvePass<T> pass(chunk);
  for (int64_t task = begin; task < end; ++task) pass.run(task);
}

// The slab at which task `task` begins: so that all tasks have as much to do.
template <class T>
int64_t first_slab(const NufftPlan<T>& plan, const SliceLayout& layout, int64_t task,
                   int64_t n_tasks) {
  // A slab's transforms take about as long as so many of its samples.
  const int64_t slab_cost = 1 + plan.n_samples / layout.n_slabs();
  const int64_t bins = plan.n_bin_cols() * (plan.is_volume() ? plan.n_bands() : 1);
  const auto cost_before = [&](int64_t slab) {
    return plan.bins[std::min(slab * bins, plan.n_bins())] + slab * slab_cost;
  };
  const int64_t share = cost_before(layout.n_slabs()) * task / n_tasks;
  int64_t slab = 0;
  while (cost_before(slab) < share) ++slab;
  return slab;
}

template <int images, class T>
void run_slices(const Chunk<T>& chunk, NufftStep step, int64_t begin, int64_t end,
                int64_t n_tasks) {
  const SliceLayout layout(chunk.plan, kRows<images>);
  const int64_t first = first_slab(chunk.plan, layout, begin, n_tasks);
  const int64_t last = first_slab(chunk.plan, layout, end, n_tasks);
  if (first == last) return;
  SlicePass<images, T> pass(chunk);
  step == NufftStep::interpolate ? pass.forward(first, last) : pass.adjoint(first, last);
}

// From the sorted order, in which images are next to each other, to the caller's.
template <int images, class T>
void write_samples(const Chunk<T>& chunk, int64_t begin, int64_t end) {
  Complex<T>* kspace[images] = {};
  for (int64_t i = 0; i < chunk.count; ++i)
    kspace[i] = chunk.work.kspace_out + chunk.kspace_offset(i);
  for (int64_t m = begin; m < end; ++m)
    for (int64_t i = 0; i < chunk.count; ++i)
      kspace[i][m] = chunk.samples[chunk.plan.positions[m] * int64_t{images} + i];
}

template <int images, class T>
void read_samples(const Chunk<T>& chunk, int64_t begin, int64_t end) {
  const Complex<T>* kspace[images] = {};
  for (int64_t i = 0; i < chunk.count; ++i) kspace[i] = chunk.work.kspace + chunk.kspace_offset(i);
  for (int64_t m = begin; m < end; ++m)
    for (int64_t i = 0; i < images; ++i)
      chunk.samples[chunk.plan.positions[m] * int64_t{images} + i] =
          i < chunk.count ? kspace[i][m] : Complex<T>{T(0), T(0)};
}

template <int images, class T>
void run_step(const Chunk<T>& chunk, NufftStep step, int64_t begin, int64_t end, int64_t n_tasks) {
  const int64_t first = begin * kSampleTask;
  const int64_t last = std::min(chunk.plan.n_samples, end * kSampleTask);
  switch (step) {
    case NufftStep::read_images:
    case NufftStep::write_images:
      return run_columns<images>(chunk, step, begin, end);
    case NufftStep::interpolate:
    case NufftStep::spread:
      return run_slices<images>(chunk, step, begin, end, n_tasks);
    case NufftStep::convolve:
      return run_convolution(chunk, begin, end);
    case NufftStep::write_samples:
      return write_samples<images>(chunk, first, last);
    case NufftStep::read_samples:
      return read_samples<images>(chunk, first, last);
  }
}

template <class T>
void run_step(const Chunk<T>& chunk, NufftStep step, int64_t begin, int64_t end, int64_t n_tasks) {
  with_constant(chunk.images, std::integer_sequence<int, 1, 2, 4>{},
                [&](auto images) { run_step<images>(chunk, step, begin, end, n_tasks); });
}

template <class T>
void run_chunk(const NufftWork<T>& work, int64_t index) {
  const NufftChunk<T> sizes(work, index);
  const Scratch columns(sizeof(Complex<T>) * sizes.columns_size());
  const Scratch samples(sizeof(Complex<T>) * sizes.samples_size());
  const Chunk<T> chunk(work, index, columns.as<void>(), samples.as<void>());
  for (const NufftStep step : work.steps()) {
    const int64_t n_tasks = chunk.n_tasks(step, 1);
    run_step(chunk, step, 0, n_tasks, n_tasks);
  }
}

template <class T>
void rows(const NufftUnits<T>& args, int64_t begin, int64_t end) {
  const int64_t chunks = args.work.chunks_in_unit();
  for (int64_t i = (args.first + begin) * chunks; i < (args.first + end) * chunks; ++i)
    run_chunk(args.work, i);
}

template <class T>
void rows(const NufftTasks<T>& args, int64_t begin, int64_t end) {
  const Chunk<T> chunk(args.work, args.chunk, args.columns, args.samples);
  run_step(chunk, args.step, begin, end, args.n_tasks);
}

}  // namespace MRIRECON_SIMD

template void run_items<kSimd>(const NufftUnits<float>&, int64_t, int64_t);
template void run_items<kSimd>(const NufftUnits<double>&, int64_t, int64_t);
template void run_items<kSimd>(const NufftTasks<float>&, int64_t, int64_t);
template void run_items<kSimd>(const NufftTasks<double>&, int64_t, int64_t);

}  // namespace mrirecon
