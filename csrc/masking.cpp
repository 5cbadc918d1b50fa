#include "masking.h"

#include <optional>

#include "op.h"

namespace mrirecon {
namespace {

using Noise = std::optional<Tensor>;

// One number, or one for each element of the batch.
void require_noise(const char* name, const Noise& noise, ScalarType type, const Tensor& kspace,
                   int64_t count) {
  require(noise.has_value(), name, ": expected it beside noise_std or seeds, got none");
  require(noise->scalar_type() == type, name, ": expected ", torch::headeronly::toString(type),
          ", got ", torch::headeronly::toString(noise->scalar_type()));
  require(noise->dim() == 1 && noise->size(0) == count, name, ": expected (", count,
          ",), 1 or the batch, got ", shape_text(*noise));
  require_same_device(name, *noise, kspace);
}

Tensor apply_mask(const Tensor& kspace, const Tensor& mask, const Noise& noise_std,
                  const Noise& seeds) {
  require_complex("kspace", kspace);
  require_same_device("mask", mask, kspace);
  const Extent extent = extent_of("kspace", kspace);
  const bool has_noise = noise_std || seeds;
  const bool is_by_element = seeds && seeds->dim() == 1 && seeds->size(0) != 1;
  if (has_noise) {
    const bool is_double = kspace.scalar_type() == ScalarType::ComplexDouble;
    const ScalarType real = is_double ? ScalarType::Double : ScalarType::Float;
    const int64_t count = is_by_element ? extent.batch : 1;
    require_noise("seeds", seeds, ScalarType::Long, kspace, count);
    require_noise("noise_std", noise_std, real, kspace, count);
  }
  const MaskView view = mask_view(mask, extent);
  const Tensor source = torch::stable::contiguous(kspace);
  const Tensor stds = torch::stable::contiguous(has_noise ? *noise_std : source);
  const Tensor keys = torch::stable::contiguous(has_noise ? *seeds : source);
  const Tensor out = torch::stable::empty_like(source);
  dispatch_real(kspace.scalar_type(), [&](auto real) {
    using T = decltype(real);
    run(source,
        ApplyMask<T>{complex_data<T>(source), mutable_complex_data<T>(out), view, extent,
                     has_noise ? static_cast<const T*>(stds.const_data_ptr()) : nullptr,
                     has_noise ? static_cast<const int64_t*>(keys.const_data_ptr()) : nullptr,
                     is_by_element});
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
