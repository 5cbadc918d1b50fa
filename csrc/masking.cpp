#include "masking.h"

#include "op.h"

namespace mrirecon {
namespace {

Tensor apply_mask(const Tensor& kspace, const Tensor& mask, double noise_std, int64_t seed) {
  require_complex("kspace", kspace);
  require_same_device("mask", mask, kspace);
  require(noise_std >= 0, "noise_std: expected 0 or more, got ", noise_std);
  const Extent extent = extent_of("kspace", kspace);
  const MaskView view = mask_view(mask, extent);
  const Tensor source = torch::stable::contiguous(kspace);
  const Tensor out = torch::stable::empty_like(source);
  dispatch_real(kspace.scalar_type(), [&](auto real) {
    using T = decltype(real);
    run(source, ApplyMask<T>{complex_data<T>(source), mutable_complex_data<T>(out), view, extent,
                             static_cast<T>(noise_std), static_cast<uint64_t>(seed)});
  });
  return out;
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(MRIRECON_NAMESPACE, CPU, m) {
  m.impl("apply_mask", TORCH_BOX(&apply_mask));
}
STABLE_TORCH_LIBRARY_IMPL(MRIRECON_NAMESPACE, CUDA, m) {
  m.impl("apply_mask", TORCH_BOX(&apply_mask));
}

}  // namespace mrirecon
