#include "padding.h"

#include "nufft_tensors.h"

namespace mrirecon {
namespace {

Tensor pad_image(const Tensor& image, const std::optional<Tensor>& coil_maps,
                 const Tensor& apodisation, Sizes shape, Sizes grid) {
  require_image(image, coil_maps, shape);
  const Tensor source = torch::stable::contiguous(image);
  const Tensor maps = torch::stable::contiguous(coil_maps ? *coil_maps : image);
  const Tensor out = new_images(source, maps.size(1), grid);
  dispatch_real(source.scalar_type(), [&](auto real) {
    using T = decltype(real);
    const auto plan = image_plan<T>(apodisation, shape, grid, source);
    run_on_gpu(out,
               PadImage<T>{complex_data<T>(source), coil_maps ? complex_data<T>(maps) : nullptr,
                           mutable_complex_data<T>(out), plan, out.size(0), out.size(1),
                           maps.size(0) == 1});
  });
  return out;
}

Tensor crop_image(const Tensor& points, const std::optional<Tensor>& coil_maps,
                  const Tensor& apodisation, Sizes shape, Sizes grid) {
  require_complex("points", points);
  require_shape("points", points, "coils", grid);
  if (coil_maps) {
    require_maps("points", points, *coil_maps, shape);
    require_coils("points", points, *coil_maps);
  }
  const Tensor source = torch::stable::contiguous(points);
  const Tensor maps = torch::stable::contiguous(coil_maps ? *coil_maps : points);
  const Tensor out = new_images(source, coil_maps ? 1 : points.size(1), shape);
  dispatch_real(source.scalar_type(), [&](auto real) {
    using T = decltype(real);
    const auto plan = image_plan<T>(apodisation, shape, grid, source);
    run_on_gpu(out,
               CropImage<T>{complex_data<T>(source), coil_maps ? complex_data<T>(maps) : nullptr,
                            mutable_complex_data<T>(out), plan, source.size(0), source.size(1),
                            maps.size(0) == 1});
  });
  return out;
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(MRIRECON_NAMESPACE, MRIRECON_GPU, m) {
  m.impl("pad_image", TORCH_BOX(&pad_image));
  m.impl("crop_image", TORCH_BOX(&crop_image));
}

}  // namespace mrirecon
