#include "consistency.h"

#include <optional>
#include <tuple>
#include <vector>

#include "op.h"

namespace mrirecon {
namespace {

using Weight = std::optional<Tensor>;

void require_like(const char* name, const Tensor& tensor, const char* reference_name,
                  const Tensor& reference) {
  require(tensor.scalar_type() == reference.scalar_type(), name, ": expected ",
          torch::headeronly::toString(reference.scalar_type()), ", the ", reference_name,
          "'s dtype, got ", torch::headeronly::toString(tensor.scalar_type()));
  require(same_shape(tensor, reference), name, ": expected the ", reference_name, "'s shape ",
          shape_text(reference), ", got ", shape_text(tensor));
  require_same_device(name, tensor, reference);
}

void require_weight(const Weight& weight, const Tensor& prediction) {
  if (!weight) return;
  const ScalarType real = prediction.scalar_type() == ScalarType::ComplexDouble ? ScalarType::Double
                                                                                : ScalarType::Float;
  require(weight->scalar_type() == real, "noise_weight: expected ",
          torch::headeronly::toString(real), ", as the prediction's parts, got ",
          torch::headeronly::toString(weight->scalar_type()));
  require(weight->dim() == 0, "noise_weight: expected a tensor of no dimensions, got ",
          shape_text(*weight));
  require_same_device("noise_weight", *weight, prediction);
}

template <class T>
const T* weight_data(const Weight& weight) {
  return weight ? static_cast<const T*>(weight->const_data_ptr()) : nullptr;
}

Tensor enforce_consistency(const Tensor& prediction, const Tensor& measured, const Tensor& mask,
                           const Weight& noise_weight) {
  require_complex("prediction", prediction);
  require_like("measured", measured, "prediction", prediction);
  require_same_device("mask", mask, prediction);
  require_weight(noise_weight, prediction);
  const Extent extent = extent_of("prediction", prediction);
  const Tensor dense_mask = torch::stable::contiguous(mask);  // its column stride is 0 or 1
  const MaskView view = mask_view(dense_mask, extent);
  const Tensor from_prediction = torch::stable::contiguous(prediction);
  const Tensor from_measured = torch::stable::contiguous(measured);
  const Tensor out = torch::stable::empty_like(from_prediction);
  dispatch_real(prediction.scalar_type(), [&](auto real) {
    using T = decltype(real);
    run(prediction, EnforceConsistency<T>{
                        complex_data<T>(from_prediction), complex_data<T>(from_measured),
                        mutable_complex_data<T>(out), weight_data<T>(noise_weight), view, extent});
  });
  return out;
}

Tensor new_tensor(const Tensor& like, std::vector<int64_t> shape, ScalarType type) {
  return torch::stable::new_empty(like, {shape.data(), shape.size()}, type);
}

template <class T>
Tensor grad_noise_weight(const Tensor& row_sums, const Tensor& noise_weight, int64_t n_rows) {
  const Tensor grad = torch::stable::empty_like(noise_weight);
  run(row_sums, GradNoiseWeight<T>{static_cast<const double*>(row_sums.const_data_ptr()), n_rows,
                                   static_cast<const T*>(noise_weight.const_data_ptr()),
                                   static_cast<T*>(grad.mutable_data_ptr())});
  return grad;
}

// `prediction` and `measured` are given where the gradient to the weight is asked for. A gradient
// that is not asked for is an empty tensor.
std::tuple<Tensor, Tensor, Tensor> grad_enforce_consistency(
    const Tensor& grad_out, const Weight& prediction, const Weight& measured, const Tensor& mask,
    const Weight& noise_weight, bool needs_prediction, bool needs_measured) {
  require_complex("grad_out", grad_out);
  if (prediction) require_like("prediction", *prediction, "grad_out", grad_out);
  if (measured) require_like("measured", *measured, "grad_out", grad_out);
  require_same_device("mask", mask, grad_out);
  require_weight(noise_weight, grad_out);
  const Extent extent = extent_of("grad_out", grad_out);
  const Tensor dense_mask = torch::stable::contiguous(mask);
  const MaskView view = mask_view(dense_mask, extent);
  const Tensor gradient = torch::stable::contiguous(grad_out);
  const auto none = [&] { return new_tensor(grad_out, {0}, grad_out.scalar_type()); };
  const bool needs_weight = prediction && measured && noise_weight;
  const Tensor from_prediction = needs_weight ? torch::stable::contiguous(*prediction) : none();
  const Tensor from_measured = needs_weight ? torch::stable::contiguous(*measured) : none();
  const Tensor grad_prediction = needs_prediction ? torch::stable::empty_like(gradient) : none();
  const Tensor grad_measured = needs_measured ? torch::stable::empty_like(gradient) : none();
  const Tensor row_sums =
      new_tensor(grad_out, {needs_weight ? extent.n_rows() : 0}, ScalarType::Double);
  Tensor grad_weight = none();
  dispatch_real(grad_out.scalar_type(), [&](auto real) {
    using T = decltype(real);
    GradEnforceConsistency<T> args{};
    args.grad_out = complex_data<T>(gradient);
    args.noise_weight = weight_data<T>(noise_weight);
    args.mask = view;
    args.extent = extent;
    if (needs_prediction) args.grad_prediction = mutable_complex_data<T>(grad_prediction);
    if (needs_measured) args.grad_measured = mutable_complex_data<T>(grad_measured);
    if (needs_weight) {
      args.prediction = complex_data<T>(from_prediction);
      args.measured = complex_data<T>(from_measured);
      args.row_sums = static_cast<double*>(row_sums.mutable_data_ptr());
    }
    run(gradient, args);
    const int64_t n_rows = extent.cols == 0 ? 0 : extent.n_rows();  // rows without samples: no sum
    if (needs_weight) grad_weight = grad_noise_weight<T>(row_sums, *noise_weight, n_rows);
  });
  return {grad_prediction, grad_measured, grad_weight};
}

template <class Library>
void register_consistency(Library& m) {
  m.impl("enforce_consistency", TORCH_BOX(&enforce_consistency));
  m.impl("grad_enforce_consistency", TORCH_BOX(&grad_enforce_consistency));
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(MRIRECON_NAMESPACE, CPU, m) { register_consistency(m); }
STABLE_TORCH_LIBRARY_IMPL(MRIRECON_NAMESPACE, CUDA, m) { register_consistency(m); }

}  // namespace mrirecon
