// The tensor side of an operator: read shapes, check the mask, run a kernel on the tensor's device.
#pragma once

#include <torch/csrc/stable/accelerator.h>
#include <torch/csrc/stable/library.h>
#include <torch/csrc/stable/ops.h>

#include <algorithm>

#include "backend.h"
#include "check.h"
#include "geometry.h"
#include "stream.h"

namespace mrirecon {

// (..., rows, cols) as (batch, coils, rows, cols): the first axis is the batch, the axes between
// are coils.
inline Extent extent_of(const char* name, const Tensor& kspace) {
  const int64_t dim = kspace.dim();
  require(dim >= 2, name, ": expected (..., rows, cols), got ", shape_text(kspace));
  Extent extent{dim > 2 ? kspace.size(0) : 1, 1, kspace.size(dim - 2), kspace.size(dim - 1)};
  for (int64_t axis = 1; axis < dim - 2; ++axis) extent.coils *= kspace.size(axis);
  return extent;
}

// A mask (cols,), (rows or 1, cols or 1) or (batch or 1, rows or 1, cols or 1) over `extent`.
inline MaskView mask_view(const Tensor& mask, const Extent& extent) {
  require(mask.scalar_type() == ScalarType::Bool, "mask: expected bool, got ",
          torch::headeronly::toString(mask.scalar_type()));
  const int64_t sizes[3] = {extent.batch, extent.rows, extent.cols}, dim = mask.dim();
  int64_t strides[3] = {0, 0, 0};
  bool fits = dim >= 1 && dim <= 3;
  for (int64_t axis = 0; fits && axis < dim; ++axis) {
    const int64_t size = mask.size(axis), onto = axis + 3 - dim;
    fits = size == sizes[onto] || size == 1;
    strides[onto] = size == 1 ? 0 : mask.stride(axis);
  }
  require(fits, "mask: expected (cols,), (rows, cols) or (batch, rows, cols) = (", extent.batch,
          ", ", extent.rows, ", ", extent.cols, "), an axis of 1 is repeated, got ",
          shape_text(mask));
  return {static_cast<const bool*>(mask.const_data_ptr()), strides[0], strides[1], strides[2]};
}

// Call `body` with a value of the real type of a complex or real floating dtype.
template <class Body>
void dispatch_real(ScalarType type, const Body& body) {
  if (type == ScalarType::ComplexDouble || type == ScalarType::Double)
    body(double{});
  else
    body(float{});
}

template <class T>
const Complex<T>* complex_data(const Tensor& tensor) {
  return static_cast<const Complex<T>*>(tensor.const_data_ptr());
}
template <class T>
Complex<T>* mutable_complex_data(const Tensor& tensor) {
  return static_cast<Complex<T>*>(tensor.mutable_data_ptr());
}

template <class Args>
void run_cuda(const Tensor& like, const Args& args) {
  if (!CudaLauncher<Args>::launch)
    throw std::runtime_error(
        "this build of mrirecon has no CUDA kernels: put nvcc on PATH and build again with "
        "MRIRECON_CUDA=ON pip install --no-build-isolation .");
  const torch::stable::accelerator::DeviceGuard guard(like.get_device_index());
  CudaLauncher<Args>::launch(args, current_stream(like.get_device_index()));
}

// The dispatch key of an operator that has no CPU kernel. The emulator's tensors are the CPU's.
#ifdef MRIRECON_EMULATED
#define MRIRECON_GPU CPU
#else
#define MRIRECON_GPU CUDA
#endif

#ifndef MRIRECON_EMULATED

inline bool runs_on_gpu(const Tensor& tensor) { return tensor.is_cuda(); }

template <class Args>
void run_cpu(const Args& args) {
  // About 16k elements a task: enough to hide the cost of handing it to a thread.
  const int64_t grain = std::max<int64_t>(1, 16384 / std::max<int64_t>(1, args.item_size()));
  auto run = run_items<Simd::baseline, Args>;
#ifdef __x86_64__
  if (simd_level() == Simd::avx2) run = run_items<Simd::avx2, Args>;
  if (simd_level() == Simd::avx512) run = run_items<Simd::avx512, Args>;
#endif
  torch::stable::parallel_for(0, args.n_items(), grain,
                              [&](int64_t begin, int64_t end) { run(args, begin, end); });
}

template <class Args>
void run(const Tensor& like, const Args& args) {
  if (args.n_items() == 0 || args.item_size() == 0) return;
  like.is_cuda() ? run_cuda(like, args) : run_cpu(args);
}

// An operator that has no CPU kernel.
template <class Args>
void run_on_gpu(const Tensor& like, const Args& args) {
  if (args.n_items() != 0 && args.item_size() != 0) run_cuda(like, args);
}

#else  // the test build: the CUDA kernels, executed by the emulator on CPU tensors

inline bool runs_on_gpu(const Tensor&) { return true; }

template <class Args>
void run(const Tensor&, const Args& args) {
  if (args.n_items() != 0 && args.item_size() != 0) CudaLauncher<Args>::launch(args, nullptr);
}

template <class Args>
void run_on_gpu(const Tensor& like, const Args& args) {
  run(like, args);
}

#endif

}  // namespace mrirecon
