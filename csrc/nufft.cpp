// The whole transform, on the CPU. The emulated library has only the kernels of a GPU, which are
// the parts of a transform.
#ifndef MRIRECON_EMULATED

#include "nufft.h"

#include <vector>

#include "nufft_tensors.h"
#include "scratch.h"

namespace mrirecon {
namespace {

// A step of a chunk by all threads, or, with units enough for all, whole units by each.
template <class T>
void run_chunk_by_steps(const NufftWork<T>& work, int64_t index) {
  const NufftChunk<T> chunk(work, index);
  const Scratch columns(sizeof(Complex<T>) * chunk.columns_size());
  const Scratch samples(sizeof(Complex<T>) * chunk.samples_size());
  for (const NufftStep step : work.steps())
    run_cpu(NufftTasks<T>{work, index, step, chunk.n_tasks(step, torch::stable::get_num_threads()),
                          columns.as<void>(), samples.as<void>()});
}

template <class T>
void run_nufft(const NufftWork<T>& work) {
  const int64_t n_threads = torch::stable::get_num_threads(), chunks = work.chunks_in_unit();
  const int64_t n_units = work.n_chunks() / chunks;
  const int64_t by_one_thread = n_units / n_threads * n_threads;
  if (by_one_thread > 0) run_cpu(NufftUnits<T>{work, 0, by_one_thread});
  for (int64_t i = by_one_thread * chunks; i < n_units * chunks; ++i) run_chunk_by_steps(work, i);
}

template <class T>
void set_operands(NufftWork<T>& work, const Tensor& operand, const Tensor* maps) {
  work.batch = operand.size(0);
  work.coils = maps ? maps->size(1) : operand.size(1);
  work.coil_maps = maps ? complex_data<T>(*maps) : nullptr;
  work.maps_are_shared = maps && maps->size(0) == 1;
}

// Of images (batch, coils or 1, *shape), or of k-space (batch, coils, samples).
Tensor transform(bool is_forward, const Tensor& from, const std::optional<Tensor>& coil_maps,
                 const PlanTensors& tensors) {
  require_operands(is_forward, from, coil_maps, tensors);
  const Tensor source = torch::stable::contiguous(from);
  const Tensor maps = torch::stable::contiguous(coil_maps ? *coil_maps : from);
  std::vector<int64_t> shape{source.size(0), source.size(1)};
  if (coil_maps) shape[1] = is_forward ? maps.size(1) : 1;
  if (is_forward)
    shape.push_back(tensors.offsets.size(1));
  else
    shape.insert(shape.end(), tensors.shape.begin(), tensors.shape.end());
  const Tensor out = torch::stable::new_empty(source, {shape.data(), shape.size()});
  dispatch_real(source.scalar_type(), [&](auto real) {
    using T = decltype(real);
    NufftWork<T> work{};
    work.mode = is_forward ? NufftMode::forward : NufftMode::adjoint;
    work.plan = plan_view<T>(tensors, source);
    set_operands(work, source, coil_maps ? &maps : nullptr);
    work.kspace = work.image = complex_data<T>(source);
    work.kspace_out = work.image_out = mutable_complex_data<T>(out);
    if (out.numel() > 0) run_nufft(work);
  });
  return out;
}

// A* D A of images, (batch, coils or 1, *shape), as a convolution.
Tensor nufft_normal(const Tensor& image, const std::optional<Tensor>& coil_maps,
                    const Tensor& transfer, const Tensor& apodisation, const Tensor& roots,
                    Sizes shape, Sizes grid) {
  require_image(image, coil_maps, shape);
  const Tensor source = torch::stable::contiguous(image);
  const Tensor maps = torch::stable::contiguous(coil_maps ? *coil_maps : image);
  const Tensor out = torch::stable::empty_like(source);
  require_plan_tensor("roots", roots, image.scalar_type(), 1, image);
  require_transfer(transfer, image, grid);
  dispatch_real(source.scalar_type(), [&](auto real) {
    using T = decltype(real);
    NufftWork<T> work{};
    work.mode = NufftMode::normal;
    work.plan = image_plan<T>(apodisation, shape, grid, source);
    work.plan.is_shared = true;
    work.plan.roots = complex_data<T>(roots);
    work.transfer = static_cast<const T*>(transfer.const_data_ptr());
    work.transfer_batch = transfer.size(0);
    set_operands(work, source, coil_maps ? &maps : nullptr);
    work.image = complex_data<T>(source);
    work.image_out = mutable_complex_data<T>(out);
    if (out.numel() > 0) run_nufft(work);
  });
  return out;
}

Tensor nufft(const Tensor& image, const std::optional<Tensor>& coil_maps, const Tensor&,
             const Tensor& starts, const Tensor& offsets, const Tensor& positions,
             const Tensor& bins, const Tensor& taps, const Tensor& apodisation, const Tensor& roots,
             int64_t width, Sizes shape, Sizes grid) {
  return transform(
      true, image, coil_maps,
      {starts, offsets, positions, bins, taps, apodisation, roots, width, shape, grid});
}

Tensor nufft_adjoint(const Tensor& kspace, const std::optional<Tensor>& coil_maps, const Tensor&,
                     const Tensor& starts, const Tensor& offsets, const Tensor& positions,
                     const Tensor& bins, const Tensor& taps, const Tensor& apodisation,
                     const Tensor& roots, int64_t width, Sizes shape, Sizes grid) {
  return transform(
      false, kspace, coil_maps,
      {starts, offsets, positions, bins, taps, apodisation, roots, width, shape, grid});
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(MRIRECON_NAMESPACE, CPU, m) {
  m.impl("nufft", TORCH_BOX(&nufft));
  m.impl("nufft_adjoint", TORCH_BOX(&nufft_adjoint));
  m.impl("nufft_normal", TORCH_BOX(&nufft_normal));
}

}  // namespace mrirecon

#endif
