#include "gridding.h"

#include "nufft_tensors.h"

namespace mrirecon {
namespace {

// What the images of a batch, on the grid or as samples, are to a plan.
struct Images {
  int64_t batch, coils;

  GroupExtent groups(const PlanTensors& plan) const {
    if (plan.offsets.size(0) == 1) return {1, batch * coils};
    return {batch, coils};
  }
};

Tensor interpolate(const Tensor& points, const PlanTensors& tensors) {
  require_points(points, tensors);
  const Tensor source = torch::stable::contiguous(points);
  const int64_t n_samples = tensors.offsets.size(1);
  const Tensor out = new_images(source, source.size(1), {&n_samples, 1});
  const Images images{source.size(0), source.size(1)};
  dispatch_real(source.scalar_type(), [&](auto real) {
    using T = decltype(real);
    run_on_gpu(out, Interpolate<T>{complex_data<T>(source), mutable_complex_data<T>(out),
                                   plan_view<T>(tensors, source), images.groups(tensors)});
  });
  return out;
}

Tensor spread(const Tensor& kspace, const PlanTensors& tensors) {
  require_operands(false, kspace, std::nullopt, tensors);
  const Tensor source = torch::stable::contiguous(kspace);
  const Tensor sorted = torch::stable::empty_like(source);
  const Tensor out = new_images(source, source.size(1), tensors.grid);
  const Images images{source.size(0), source.size(1)};
  dispatch_real(source.scalar_type(), [&](auto real) {
    using T = decltype(real);
    run_on_gpu(out, Spread<T>{complex_data<T>(source), mutable_complex_data<T>(sorted),
                              mutable_complex_data<T>(out), plan_view<T>(tensors, source),
                              images.groups(tensors)});
  });
  return out;
}

}  // namespace

// The emulator's tensors are the CPU's.
#ifdef MRIRECON_EMULATED
STABLE_TORCH_LIBRARY_IMPL(MRIRECON_NAMESPACE, CPU, m) {
#else
STABLE_TORCH_LIBRARY_IMPL(MRIRECON_NAMESPACE, CUDA, m) {
#endif
  m.impl("interpolate", TORCH_BOX(&without_maps<interpolate>));
  m.impl("spread", TORCH_BOX(&without_maps<spread>));
}

}  // namespace mrirecon
