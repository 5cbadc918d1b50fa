#include "emulator/numpy_kernels.h"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <complex>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "backend.h"
#include "coils.h"
#include "consistency.h"
#include "gridding.h"
#include "instance_norm.h"
#include "masking.h"
#include "padding.h"
#include "ssim.h"
#include "transfer.h"

namespace mrirecon::emulator {
namespace {

namespace py = pybind11;
// Contiguous and of this very type: nothing is converted, so that a kernel sees the caller's bytes.
template <class T>
using Array = py::array_t<T, py::array::c_style>;
template <class T>
using ComplexArray = Array<std::complex<T>>;

template <class T>
const Complex<T>* data(const ComplexArray<T>& array) {
  return reinterpret_cast<const Complex<T>*>(array.data());
}
template <class T>
Complex<T>* mutable_data(ComplexArray<T>& array) {
  return reinterpret_cast<Complex<T>*>(array.mutable_data());
}

void require_shape(const char* name, const py::array& array,
                   const std::vector<py::ssize_t>& shape) {
  if (std::vector<py::ssize_t>(array.shape(), array.shape() + array.ndim()) == shape) return;
  std::string text = std::string(name) + ": expected (";
  for (py::ssize_t size : shape) text += std::to_string(size) + ", ";
  throw std::invalid_argument(text + "), got another shape");
}
void require_axes(const char* name, const py::array& array, py::ssize_t n) {
  if (array.ndim() != n)
    throw std::invalid_argument(std::string(name) + ": expected " + std::to_string(n) +
                                " axes, got " + std::to_string(array.ndim()));
}

template <class Args>
void launch(const Args& args) {
  if (args.n_items() != 0 && args.item_size() != 0) CudaLauncher<Args>::launch(args, nullptr);
}

MaskView mask_view(const Array<bool>& mask, const Extent& extent) {
  require_shape("mask", mask, {extent.batch, extent.rows, extent.cols});
  return {mask.data(), extent.rows * extent.cols, extent.cols, 1};
}
template <class T>
Extent extent_of(const char* name, const ComplexArray<T>& kspace) {
  require_axes(name, kspace, 4);
  return {kspace.shape(0), kspace.shape(1), kspace.shape(2), kspace.shape(3)};
}

template <class T>
void apply_mask(const ComplexArray<T>& kspace, const Array<bool>& mask, ComplexArray<T>& out) {
  const Extent extent = extent_of("kspace", kspace);
  require_shape("out", out, {extent.batch, extent.coils, extent.rows, extent.cols});
  launch(ApplyMask<T>{data(kspace), mutable_data(out), mask_view(mask, extent), extent, nullptr,
                      nullptr, false});
}

template <class T>
void enforce_consistency(const ComplexArray<T>& prediction, const ComplexArray<T>& measured,
                         const Array<bool>& mask, std::optional<T> noise_weight,
                         ComplexArray<T>& out) {
  const Extent extent = extent_of("prediction", prediction);
  for (const auto* array : {&measured, const_cast<const ComplexArray<T>*>(&out)})
    require_shape("measured and out", *array,
                  {extent.batch, extent.coils, extent.rows, extent.cols});
  launch(EnforceConsistency<T>{data(prediction), data(measured), mutable_data(out),
                               noise_weight ? &*noise_weight : nullptr, mask_view(mask, extent),
                               extent});
}

// Maps are (1, coils, pixels), shared by the batch.
template <class T>
void expand_coils(const ComplexArray<T>& image, const ComplexArray<T>& coil_maps,
                  ComplexArray<T>& out) {
  require_axes("coil_maps", coil_maps, 3);
  require_axes("image", image, 3);
  const CoilExtent extent{1, image.shape(0), coil_maps.shape(1), coil_maps.shape(2)};
  require_shape("out", out, {extent.group_size, extent.coils, extent.pixels});
  launch(ExpandCoils<T>{data(image), data(coil_maps), mutable_data(out), extent});
}

template <class T>
void combine_coils(const ComplexArray<T>& coil_images, const ComplexArray<T>& coil_maps,
                   ComplexArray<T>& out) {
  require_axes("coil_images", coil_images, 3);
  const CoilExtent extent{1, coil_images.shape(0), coil_images.shape(1), coil_images.shape(2)};
  require_shape("coil_maps", coil_maps, {1, extent.coils, extent.pixels});
  require_shape("out", out, {extent.group_size, 1, extent.pixels});
  launch(CombineCoils<T>{data(coil_images), data(coil_maps), mutable_data(out), extent});
}

template <class T>
NufftPlan<T> plane_plan(const py::array& image, const py::array& grid,
                        const Array<T>& apodisation) {
  require_axes("image", image, 4);
  require_axes("grid", grid, 4);
  require_shape("apodisation", apodisation, {1 + image.shape(2) + image.shape(3)});
  NufftPlan<T> plan{};
  plan.n_axes = 2;
  for (int axis = 0; axis < 3; ++axis) {
    plan.shape[axis] = axis == 0 ? 1 : image.shape(axis + 1);
    plan.grid[axis] = axis == 0 ? 1 : grid.shape(axis + 1);
  }
  plan.apodisation = apodisation.data();
  return plan;
}

template <class T>
void pad_image(const ComplexArray<T>& image, const Array<T>& apodisation, ComplexArray<T>& grid) {
  const auto plan = plane_plan<T>(image, grid, apodisation);
  launch(PadImage<T>{data(image), nullptr, mutable_data(grid), plan, grid.shape(0), grid.shape(1),
                     true});
}

template <class T>
void crop_image(const ComplexArray<T>& grid, const Array<T>& apodisation, ComplexArray<T>& image) {
  const auto plan = plane_plan<T>(image, grid, apodisation);
  launch(CropImage<T>{data(grid), nullptr, mutable_data(image), plan, grid.shape(0), grid.shape(1),
                      true});
}

// One trajectory of two axes; starts and offsets are (samples, 2), as a plan has them sorted.
template <class T>
void interpolate(const ComplexArray<T>& grid, const Array<int32_t>& starts, const Array<T>& offsets,
                 const Array<int32_t>& positions, const Array<T>& taps, int64_t width,
                 ComplexArray<T>& kspace) {
  require_axes("grid", grid, 3);
  NufftPlan<T> plan{};
  plan.n_axes = 2;
  plan.n_samples = positions.size();
  plan.width = width;
  plan.is_shared = true;
  plan.shape[0] = plan.grid[0] = 1;
  for (int axis = 1; axis < 3; ++axis) plan.shape[axis] = plan.grid[axis] = grid.shape(axis);
  require_shape("starts", starts, {plan.n_samples, 2});
  require_shape("offsets", offsets, {plan.n_samples, 2});
  require_shape("taps", taps, {tap_degree(static_cast<int>(width)) + 1, kMaxWidth});
  require_shape("kspace", kspace, {grid.shape(0), plan.n_samples});
  plan.starts = starts.data();
  plan.offsets = offsets.data();
  plan.positions = positions.data();
  plan.taps = taps.data();
  launch(Interpolate<T>{data(grid), mutable_data(kspace), plan, {1, grid.shape(0)}});
}

template <class T>
void apply_transfer(const Array<T>& transfer, ComplexArray<T>& points) {
  require_axes("points", points, 3);
  const int64_t rows = points.shape(1), cols = points.shape(2);
  require_shape("transfer", transfer,
                {(rows + kTransferRows - 1) / kTransferRows, cols, kTransferRows});
  launch(
      ApplyTransfer<T>{mutable_data(points), transfer.data(), {1, points.shape(0)}, 1, rows, cols});
}

template <class T>
void ssim_map(const Array<T>& prediction, const Array<T>& target, const Array<T>& data_range,
              int window_size, Array<T>& map) {
  require_axes("prediction", prediction, 3);
  Ssim<T> args{};
  args.images = prediction.shape(0);
  args.rows = prediction.shape(1);
  args.cols = prediction.shape(2);
  args.window_size = window_size;
  require_shape("target", target, {args.images, args.rows, args.cols});
  require_shape("data_range", data_range, {args.images});
  require_shape("map", map, {args.images, args.map_rows(), args.map_cols()});
  args.prediction = prediction.data();
  args.target = target.data();
  args.data_range = data_range.data();
  args.map = map.mutable_data();
  launch(args);
}

// Features are (images, rows, cols, channels).
template <class T>
void instance_norm(const Array<T>& x, T slope, T eps, int64_t pad, Array<T>& out) {
  require_axes("x", x, 4);
  const NormExtent extent{x.shape(0), x.shape(1), x.shape(2), x.shape(3), pad};
  require_shape("out", out, {extent.images, extent.out_rows(), extent.out_cols(), extent.channels});
  std::vector<T> partials(2 * extent.n_chunks() * extent.n_statistics());
  std::vector<T> mean(extent.n_statistics()), rstd(extent.n_statistics());
  launch(NormMoments<T>{x.data(), partials.data(), extent});
  launch(NormStatistics<T>{partials.data(), mean.data(), rstd.data(), eps, extent});
  const NormChannels<T> channels{mean.data(), rstd.data(), nullptr, &slope};
  launch(ApplyNorm<T>{x.data(), nullptr, out.mutable_data(), channels, extent});
}

template <class T>
void define_for(py::module_& module) {
  const auto own = [](const char* name) { return py::arg(name).noconvert(); };
  module.def("apply_mask", apply_mask<T>, own("kspace"), own("mask"), own("out"));
  module.def("enforce_consistency", enforce_consistency<T>, own("prediction"), own("measured"),
             own("mask"), py::arg("noise_weight"), own("out"));
  module.def("expand_coils", expand_coils<T>, own("image"), own("coil_maps"), own("out"));
  module.def("combine_coils", combine_coils<T>, own("coil_images"), own("coil_maps"), own("out"));
  module.def("pad_image", pad_image<T>, own("image"), own("apodisation"), own("grid"));
  module.def("crop_image", crop_image<T>, own("grid"), own("apodisation"), own("image"));
  module.def("interpolate", interpolate<T>, own("grid"), own("starts"), own("offsets"),
             own("positions"), own("taps"), py::arg("width"), own("kspace"));
  module.def("apply_transfer", apply_transfer<T>, own("transfer"), own("points"));
  module.def("ssim_map", ssim_map<T>, own("prediction"), own("target"), own("data_range"),
             py::arg("window_size"), own("map"));
  module.def("instance_norm", instance_norm<T>, own("x"), py::arg("slope"), py::arg("eps"),
             py::arg("pad"), own("out"));
}

}  // namespace

void define_numpy_kernels(py::module_& module) {
  define_for<float>(module);
  define_for<double>(module);
}

}  // namespace mrirecon::emulator
