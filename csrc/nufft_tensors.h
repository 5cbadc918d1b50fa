// The tensor side of a NUFFT's plan and operands: what they must be, and a view of the plan.
#pragma once

#include <optional>
#include <vector>

#include "nufft.h"
#include "op.h"

namespace mrirecon {

using Sizes = torch::headeronly::IntHeaderOnlyArrayRef;

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

template <class T>
NufftPlan<T> plan_view(const PlanTensors& tensors, const Tensor& like) {
  const ScalarType complex = like.scalar_type(), integer = ScalarType::Int;
  const ScalarType real = sizeof(T) == 8 ? ScalarType::Double : ScalarType::Float;
  require_plan_tensor("starts", tensors.starts, integer, 3, like);
  require_plan_tensor("offsets", tensors.offsets, real, 3, like);
  require_plan_tensor("positions", tensors.positions, integer, 2, like);
  require_plan_tensor("bins", tensors.bins, integer, 2, like);
  require_plan_tensor("taps", tensors.taps, real, 2, like);
  require_plan_tensor("apodisation", tensors.apodisation, real, 1, like);
  require_plan_tensor("roots", tensors.roots, complex, 1, like);
  NufftPlan<T> plan{};
  plan.n_samples = tensors.offsets.size(1);
  set_axes(plan, tensors.offsets.size(2), tensors.shape, tensors.grid);
  plan.width = tensors.width;
  require(plan.width >= 2 && plan.width <= kMaxWidth &&
              tensors.taps.size(0) == tap_degree(static_cast<int>(plan.width)) + 1 &&
              tensors.taps.size(1) == kMaxWidth,
          "taps: expected (", tap_degree(static_cast<int>(plan.width)) + 1, ", ", kMaxWidth,
          ") for a width of ", plan.width, ", got ", shape_text(tensors.taps));
  for (int axis = 0; axis < 3; ++axis)
    require(plan.grid[axis] >= plan.shape[axis] &&
                (axis < 3 - plan.n_axes || plan.grid[axis] >= plan.width),
            "grid: expected at least the image's ", plan.shape[axis], " points and the width of ",
            plan.width, ", got ", plan.grid[axis]);
  plan.is_shared = tensors.offsets.size(0) == 1;
  plan.starts = static_cast<const int32_t*>(tensors.starts.const_data_ptr());
  plan.offsets = static_cast<const T*>(tensors.offsets.const_data_ptr());
  plan.positions = static_cast<const int32_t*>(tensors.positions.const_data_ptr());
  plan.bins = static_cast<const int32_t*>(tensors.bins.const_data_ptr());
  plan.taps = static_cast<const T*>(tensors.taps.const_data_ptr());
  plan.apodisation = static_cast<const T*>(tensors.apodisation.const_data_ptr());
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

inline void require_operands(bool is_forward, const Tensor& from,
                             const std::optional<Tensor>& coil_maps, const PlanTensors& plan) {
  const char* name = is_forward ? "image" : "kspace";
  require_complex(name, from);
  const int64_t n_samples = plan.offsets.size(1), n_trajectories = plan.offsets.size(0);
  if (is_forward)
    require_shape(name, from, coil_maps ? "1" : "coils", plan.shape);
  else
    require_shape(name, from, "coils", {&n_samples, 1});
  require(n_trajectories == 1 || n_trajectories == from.size(0), name, ": expected a batch of ",
          n_trajectories, ", one for each trajectory, got ", from.size(0));
  if (!coil_maps) return;
  require_maps(name, from, *coil_maps, plan.shape);
  if (!is_forward) require_coils(name, from, *coil_maps);
}

inline Tensor new_images(const Tensor& like, int64_t coils, Sizes sizes) {
  std::vector<int64_t> shape{like.size(0), coils};
  shape.insert(shape.end(), sizes.begin(), sizes.end());
  return torch::stable::new_empty(like, {shape.data(), shape.size()});
}

inline void require_points(const Tensor& points, const PlanTensors& plan) {
  require_complex("points", points);
  require_shape("points", points, "coils", plan.grid);
  const int64_t n_trajectories = plan.offsets.size(0);
  require(n_trajectories == 1 || n_trajectories == points.size(0), "points: expected a batch of ",
          n_trajectories, ", one for each trajectory, got ", points.size(0));
}

// --- operators of the arguments that the schema lists

template <Tensor (*op)(const Tensor&, const std::optional<Tensor>&, const PlanTensors&)>
Tensor with_maps(const Tensor& operand, const std::optional<Tensor>& coil_maps,
                 const Tensor& starts, const Tensor& offsets, const Tensor& positions,
                 const Tensor& bins, const Tensor& taps, const Tensor& apodisation,
                 const Tensor& roots, int64_t width, Sizes shape, Sizes grid) {
  return op(operand, coil_maps,
            {starts, offsets, positions, bins, taps, apodisation, roots, width, shape, grid});
}

template <Tensor (*op)(const Tensor&, const PlanTensors&)>
Tensor without_maps(const Tensor& operand, const Tensor& starts, const Tensor& offsets,
                    const Tensor& positions, const Tensor& bins, const Tensor& taps,
                    const Tensor& apodisation, const Tensor& roots, int64_t width, Sizes shape,
                    Sizes grid) {
  return op(operand,
            {starts, offsets, positions, bins, taps, apodisation, roots, width, shape, grid});
}

}  // namespace mrirecon
