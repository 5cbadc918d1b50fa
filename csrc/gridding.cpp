#include "gridding.h"

#include "nufft_tensors.h"

namespace mrirecon {
namespace {

Tensor interpolate(const Tensor& points, const PlanTensors& tensors) {
  require_points(points, tensors);
  const Tensor source = torch::stable::contiguous(points);
  const int64_t n_samples = tensors.offsets.size(1);
  const Tensor out = new_images(source, source.size(1), {&n_samples, 1});
  dispatch_real(source.scalar_type(), [&](auto real) {
    using T = decltype(real);
    run_on_gpu(out, Interpolate<T>{complex_data<T>(source), mutable_complex_data<T>(out),
                                   plan_view<T>(tensors, source),
                                   groups_of(source, tensors.offsets.size(0))});
  });
  return out;
}

Tensor spread(const Tensor& kspace, const PlanTensors& tensors) {
  require_operands(false, kspace, std::nullopt, tensors);
  const Tensor source = torch::stable::contiguous(kspace);
  const Tensor sorted = torch::stable::empty_like(source);
  const Tensor out = new_images(source, source.size(1), tensors.grid);
  dispatch_real(source.scalar_type(), [&](auto real) {
    using T = decltype(real);
    run_on_gpu(out, Spread<T>{complex_data<T>(source), mutable_complex_data<T>(sorted),
                              mutable_complex_data<T>(out), plan_view<T>(tensors, source),
                              groups_of(source, tensors.offsets.size(0))});
  });
  return out;
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(MRIRECON_NAMESPACE, MRIRECON_GPU, m) {
  m.impl("interpolate", TORCH_BOX(&planned<interpolate>));
  m.impl("spread", TORCH_BOX(&planned<spread>));
}

}  // namespace mrirecon
