#include "coils.h"

#include <vector>

#include "op.h"

namespace mrirecon {
namespace {

using Shape = std::vector<int64_t>;

void require_like(const char* name, const Tensor& tensor, const char* reference_name,
                  const Tensor& reference) {
  require(tensor.scalar_type() == reference.scalar_type(), name, ": expected ",
          torch::headeronly::toString(reference.scalar_type()), ", the dtype of ", reference_name,
          ", got ", torch::headeronly::toString(tensor.scalar_type()));
  require_same_device(name, tensor, reference);
}

bool same_spatial_shape(const Tensor& a, const Tensor& b) {
  if (a.dim() != b.dim()) return false;
  for (int64_t axis = 2; axis < a.dim(); ++axis)
    if (a.size(axis) != b.size(axis)) return false;
  return true;
}

void require_image(const Tensor& image) {
  require_complex("image", image);
  require(image.dim() >= 3 && image.size(1) == 1,
          "image: expected (batch, 1, ..., rows, cols), got ", shape_text(image));
}

void require_coil_images(const Tensor& coil_images) {
  require_complex("coil_images", coil_images);
  require(coil_images.dim() >= 3, "coil_images: expected (batch, coils, ..., rows, cols), got ",
          shape_text(coil_images));
}

// Maps of `map_batch` elements, one for each of `batch` or one for all.
CoilExtent coil_extent(const Tensor& coil_images_or_maps, int64_t batch, int64_t map_batch) {
  CoilExtent extent{map_batch, map_batch == 1 ? batch : 1, coil_images_or_maps.size(1), 1};
  for (int64_t axis = 2; axis < coil_images_or_maps.dim(); ++axis)
    extent.pixels *= coil_images_or_maps.size(axis);
  return extent;
}

Tensor new_tensor(const Tensor& like, int64_t batch, int64_t coils) {
  Shape shape(like.sizes().begin(), like.sizes().end());
  shape[0] = batch;
  shape[1] = coils;
  return torch::stable::new_empty(like, {shape.data(), shape.size()});
}

// Run Args<T>{first, second, out, extent}, which all three operators are.
template <template <class> class Args>
void run_coils(const Tensor& first, const Tensor& second, const Tensor& out, CoilExtent extent) {
  const Tensor dense_first = torch::stable::contiguous(first);
  const Tensor dense_second = torch::stable::contiguous(second);
  dispatch_real(out.scalar_type(), [&](auto real) {
    using T = decltype(real);
    run(out, Args<T>{complex_data<T>(dense_first), complex_data<T>(dense_second),
                     mutable_complex_data<T>(out), extent});
  });
}

Tensor expand_coils(const Tensor& image, const Tensor& coil_maps) {
  require_image(image);
  require_like("coil_maps", coil_maps, "image", image);
  const int64_t batch = image.size(0);
  require(same_spatial_shape(coil_maps, image) &&
              (coil_maps.size(0) == batch || coil_maps.size(0) == 1),
          "coil_maps: expected (", batch, " or 1, coils, ...) with the spatial axes of the image ",
          shape_text(image), ", got ", shape_text(coil_maps));
  const Tensor out = new_tensor(image, batch, coil_maps.size(1));
  run_coils<ExpandCoils>(image, coil_maps, out, coil_extent(coil_maps, batch, coil_maps.size(0)));
  return out;
}

Tensor combine_coils(const Tensor& coil_images, const Tensor& coil_maps) {
  require_coil_images(coil_images);
  require_like("coil_maps", coil_maps, "coil_images", coil_images);
  const int64_t batch = coil_images.size(0);
  require(same_spatial_shape(coil_maps, coil_images) && coil_maps.size(1) == coil_images.size(1) &&
              (coil_maps.size(0) == batch || coil_maps.size(0) == 1),
          "coil_maps: expected the shape of coil_images ", shape_text(coil_images),
          ", or 1 for its batch, got ", shape_text(coil_maps));
  const Tensor out = new_tensor(coil_images, batch, 1);
  run_coils<CombineCoils>(coil_images, coil_maps, out,
                          coil_extent(coil_maps, batch, coil_maps.size(0)));
  return out;
}

Tensor grad_coil_maps(const Tensor& image, const Tensor& coil_images, int64_t map_batch) {
  require_image(image);
  require_coil_images(coil_images);
  require_like("coil_images", coil_images, "image", image);
  const int64_t batch = image.size(0);
  require(same_spatial_shape(coil_images, image) && coil_images.size(0) == batch,
          "coil_images: expected the batch and the spatial axes of the image ", shape_text(image),
          ", got ", shape_text(coil_images));
  require(map_batch == batch || map_batch == 1, "map_batch: expected ", batch, " or 1, got ",
          map_batch);
  const Tensor out = new_tensor(coil_images, map_batch, coil_images.size(1));
  run_coils<GradCoilMaps>(image, coil_images, out, coil_extent(coil_images, batch, map_batch));
  return out;
}

template <class Library>
void register_coils(Library& m) {
  m.impl("expand_coils", TORCH_BOX(&expand_coils));
  m.impl("combine_coils", TORCH_BOX(&combine_coils));
  m.impl("grad_coil_maps", TORCH_BOX(&grad_coil_maps));
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(MRIRECON_NAMESPACE, CPU, m) { register_coils(m); }
STABLE_TORCH_LIBRARY_IMPL(MRIRECON_NAMESPACE, CUDA, m) { register_coils(m); }

}  // namespace mrirecon
