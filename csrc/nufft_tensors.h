// The tensor side of a NUFFT's plan and operands: what they must be, and a view of the plan.
#pragma once

#include <optional>
#include <vector>

#include "nufft.h"
#include "op.h"
#include "transfer.h"

namespace mrirecon {

using Sizes = torch::headeronly::IntHeaderOnlyArrayRef;

inline ScalarType real_type(const Tensor& complex) {
  return complex.scalar_type() == ScalarType::ComplexDouble ? ScalarType::Double
                                                            : ScalarType::Float;
}

// The tensors of a plan, as the schema lists them.
struct PlanTensors {
  const Tensor &starts, &offsets, &positions, &bins, &taps, &apodisation, &roots;
  int64_t width;
  Sizes shape, grid;
};

inline void require_plan_tensor(const char* name, const Tensor& tensor, ScalarType type,
                                int64_t dim, const Tensor& like) {
  require(tensor.scalar_type() == type && tensor.dim() == dim && tensor.is_contiguous(), name,
          ": expected a contiguous tensor of ", torch::headeronly::toString(type), " with ", dim,
          " axes, got ", torch::headeronly::toString(tensor.scalar_type()), " ", shape_text(tensor),
          "; a plan made for this dtype has it");
  require_same_device(name, tensor, like);
}

template <class T>
void set_axes(NufftPlan<T>& plan, int64_t n_axes, Sizes shape, Sizes grid) {
  plan.n_axes = n_axes;
  for (int64_t axis = 0; axis < 3; ++axis) {
    const int64_t given = axis - (3 - n_axes);
    plan.shape[axis] = given < 0 ? 1 : shape[given];
    plan.grid[axis] = given < 0 ? 1 : grid[given];
  }
}

// Of a plan, what it says of images: sizes and apodisation.
template <class T>
NufftPlan<T> image_plan(const Tensor& apodisation, Sizes shape, Sizes grid, const Tensor& like) {
  require(!shape.empty() && shape.size() <= 3 && grid.size() == shape.size(),
          "grid: expected 1 to 3 sizes, as the image has, got ", grid.size(), " for ",
          shape.size());
  require_plan_tensor("apodisation", apodisation, real_type(like), 1, like);
  NufftPlan<T> plan{};
  set_axes(plan, static_cast<int64_t>(shape.size()), shape, grid);
  int64_t n_weights = 0;
  for (int axis = 0; axis < 3; ++axis) {
    require(plan.grid[axis] >= plan.shape[axis], "grid: expected at least the image's ",
            plan.shape[axis], " points, got ", plan.grid[axis]);
    n_weights += plan.shape[axis];
  }
  require(apodisation.size(0) == n_weights, "apodisation: expected (", n_weights, ",), got ",
          shape_text(apodisation));
  plan.apodisation = static_cast<const T*>(apodisation.const_data_ptr());
  return plan;
}

template <class T>
NufftPlan<T> plan_view(const PlanTensors& tensors, const Tensor& like) {
  const ScalarType complex = like.scalar_type(), integer = ScalarType::Int;
  const ScalarType real = real_type(like);
  require_plan_tensor("starts", tensors.starts, integer, 3, like);
  require_plan_tensor("offsets", tensors.offsets, real, 3, like);
  require_plan_tensor("positions", tensors.positions, integer, 2, like);
  require_plan_tensor("bins", tensors.bins, integer, 2, like);
  require_plan_tensor("taps", tensors.taps, real, 2, like);
  require_plan_tensor("roots", tensors.roots, complex, 1, like);
  NufftPlan<T> plan = image_plan<T>(tensors.apodisation, tensors.shape, tensors.grid, like);
  require(tensors.offsets.size(2) == plan.n_axes, "offsets: expected ", plan.n_axes,
          " axes, as the image has, got ", tensors.offsets.size(2));
  plan.n_samples = tensors.offsets.size(1);
  plan.width = tensors.width;
  require(plan.width >= 2 && plan.width <= kMaxWidth &&
              tensors.taps.size(0) == tap_degree(static_cast<int>(plan.width)) + 1 &&
              tensors.taps.size(1) == kMaxWidth,
          "taps: expected (", tap_degree(static_cast<int>(plan.width)) + 1, ", ", kMaxWidth,
          ") for a width of ", plan.width, ", got ", shape_text(tensors.taps));
  for (const int64_t size : tensors.grid)
    require(size >= plan.width, "grid: expected at least the width of ", plan.width, ", got ",
            size);
  plan.is_shared = tensors.offsets.size(0) == 1;
  plan.starts = static_cast<const int32_t*>(tensors.starts.const_data_ptr());
  plan.offsets = static_cast<const T*>(tensors.offsets.const_data_ptr());
  plan.positions = static_cast<const int32_t*>(tensors.positions.const_data_ptr());
  plan.bins = static_cast<const int32_t*>(tensors.bins.const_data_ptr());
  plan.taps = static_cast<const T*>(tensors.taps.const_data_ptr());
  plan.roots = complex_data<T>(tensors.roots);
  return plan;
}

// "(batch, coils, 8, 9)": what an operand's shape must be.
struct ExpectedShape {
  const char* coils;
  Sizes sizes;
};

inline std::ostream& operator<<(std::ostream& text, const ExpectedShape& shape) {
  text << "(batch, " << shape.coils;
  for (const int64_t size : shape.sizes) text << ", " << size;
  return text << ')';
}

inline void require_shape(const char* name, const Tensor& tensor, const char* coils, Sizes sizes) {
  bool fits = tensor.dim() == static_cast<int64_t>(sizes.size()) + 2;
  for (size_t axis = 0; fits && axis < sizes.size(); ++axis)
    fits = tensor.size(static_cast<int64_t>(axis) + 2) == sizes[axis];
  if (fits && coils[0] == '1') fits = tensor.size(1) == 1;
  require(fits, name, ": expected ", ExpectedShape{coils, sizes}, ", got ", shape_text(tensor));
}

inline void require_maps(const char* name, const Tensor& operand, const Tensor& coil_maps,
                         Sizes shape) {
  require(coil_maps.scalar_type() == operand.scalar_type(), "coil_maps: expected ",
          torch::headeronly::toString(operand.scalar_type()), ", as the ", name, " has, got ",
          torch::headeronly::toString(coil_maps.scalar_type()));
  require_same_device("coil_maps", coil_maps, operand);
  require_shape("coil_maps", coil_maps, "coils", shape);
  require(coil_maps.size(0) == 1 || coil_maps.size(0) == operand.size(0),
          "coil_maps: expected a batch of 1 or ", operand.size(0), ", got ", coil_maps.size(0));
}

inline void require_coils(const char* name, const Tensor& operand, const Tensor& coil_maps) {
  require(coil_maps.size(1) == operand.size(1), "coil_maps: expected ", operand.size(1),
          " coils, as the ", name, " has, got ", coil_maps.size(1));
}

// An image for each coil, or one of which `coil_maps` make as many.
inline void require_image(const Tensor& image, const std::optional<Tensor>& coil_maps,
                          Sizes shape) {
  require_complex("image", image);
  require_shape("image", image, coil_maps ? "1" : "coils", shape);
  if (coil_maps) require_maps("image", image, *coil_maps, shape);
}

inline void require_operands(bool is_forward, const Tensor& from,
                             const std::optional<Tensor>& coil_maps, const PlanTensors& plan) {
  const int64_t n_samples = plan.offsets.size(1), n_trajectories = plan.offsets.size(0);
  const char* name = is_forward ? "image" : "kspace";
  if (is_forward) {
    require_image(from, coil_maps, plan.shape);
  } else {
    require_complex(name, from);
    require_shape(name, from, "coils", {&n_samples, 1});
    if (coil_maps) require_maps(name, from, *coil_maps, plan.shape);
    if (coil_maps) require_coils(name, from, *coil_maps);
  }
  require(n_trajectories == 1 || n_trajectories == from.size(0), name, ": expected a batch of ",
          n_trajectories, ", one for each trajectory, got ", from.size(0));
}

inline Tensor new_images(const Tensor& like, int64_t coils, Sizes sizes) {
  std::vector<int64_t> shape{like.size(0), coils};
  shape.insert(shape.end(), sizes.begin(), sizes.end());
  return torch::stable::new_empty(like, {shape.data(), shape.size()});
}

// (batch, coils, ...) in groups that share one of `n_shared` trajectories, or sets of weights.
inline GroupExtent groups_of(const Tensor& images, int64_t n_shared) {
  if (n_shared == 1) return {1, images.size(0) * images.size(1)};
  return {images.size(0), images.size(1)};
}

inline void require_points(const Tensor& points, const PlanTensors& plan) {
  require_complex("points", points);
  require_shape("points", points, "coils", plan.grid);
  const int64_t n_trajectories = plan.offsets.size(0);
  require(n_trajectories == 1 || n_trajectories == points.size(0), "image: expected a batch of ",
          n_trajectories, ", one for each trajectory, got ", points.size(0));
}

// Weights of the points of a grid: (batch or 1, depth, rows / 8, cols, 8).
inline void require_transfer(const Tensor& transfer, const Tensor& images, Sizes grid) {
  require_plan_tensor("transfer", transfer, real_type(images), 5, images);
  require(transfer.size(0) == 1 || transfer.size(0) == images.size(0),
          "transfer: expected a batch of 1 or ", images.size(0), ", got ", transfer.size(0));
  const size_t n_axes = grid.size();
  const int64_t rows = n_axes > 1 ? grid[n_axes - 2] : 1;
  const int64_t sizes[4] = {n_axes > 2 ? grid[0] : 1, (rows + kTransferRows - 1) / kTransferRows,
                            grid[n_axes - 1], kTransferRows};
  bool fits = true;
  for (int axis = 0; axis < 4; ++axis) fits = fits && transfer.size(axis + 1) == sizes[axis];
  require(fits, "transfer: expected (batch or 1, ", sizes[0], ", ", sizes[1], ", ", sizes[2], ", ",
          sizes[3], "), got ", shape_text(transfer));
}

// An operator of the arguments that the schema lists.
template <Tensor (*op)(const Tensor&, const PlanTensors&)>
Tensor planned(const Tensor& operand, const Tensor& starts, const Tensor& offsets,
               const Tensor& positions, const Tensor& bins, const Tensor& taps,
               const Tensor& apodisation, const Tensor& roots, int64_t width, Sizes shape,
               Sizes grid) {
  return op(operand,
            {starts, offsets, positions, bins, taps, apodisation, roots, width, shape, grid});
}

}  // namespace mrirecon
