#include "padding.h"

#include "nufft_tensors.h"

namespace mrirecon {
namespace {

Tensor pad_image(const Tensor& image, const std::optional<Tensor>& coil_maps,
                 const PlanTensors& tensors) {
  require_operands(true, image, coil_maps, tensors);
  const Tensor source = torch::stable::contiguous(image);
  const Tensor maps = torch::stable::contiguous(coil_maps ? *coil_maps : image);
  const Tensor out = new_images(source, maps.size(1), tensors.grid);
  dispatch_real(source.scalar_type(), [&](auto real) {
    using T = decltype(real);
    run_on_gpu(out,
               PadImage<T>{complex_data<T>(source), coil_maps ? complex_data<T>(maps) : nullptr,
                           mutable_complex_data<T>(out), plan_view<T>(tensors, source), out.size(0),
                           out.size(1), maps.size(0) == 1});
  });
  return out;
}

Tensor crop_image(const Tensor& points, const std::optional<Tensor>& coil_maps,
                  const PlanTensors& tensors) {
  require_points(points, tensors);
  if (coil_maps) {
    require_maps("points", points, *coil_maps, tensors.shape);
    require_coils("points", points, *coil_maps);
  }
  const Tensor source = torch::stable::contiguous(points);
  const Tensor maps = torch::stable::contiguous(coil_maps ? *coil_maps : points);
  const Tensor out = new_images(source, coil_maps ? 1 : points.size(1), tensors.shape);
  dispatch_real(source.scalar_type(), [&](auto real) {
    using T = decltype(real);
    run_on_gpu(out,
               CropImage<T>{complex_data<T>(source), coil_maps ? complex_data<T>(maps) : nullptr,
                            mutable_complex_data<T>(out), plan_view<T>(tensors, source),
                            source.size(0), source.size(1), maps.size(0) == 1});
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
  m.impl("pad_image", TORCH_BOX(&with_maps<pad_image>));
  m.impl("crop_image", TORCH_BOX(&with_maps<crop_image>));
}

}  // namespace mrirecon
