// Argument checks, one wording for every backend: "name: expected ..., got ...".
// std::invalid_argument becomes a ValueError in Python; the stable ABI offers no TypeError, so a
// wrong dtype is a ValueError too.
#pragma once

#include <torch/csrc/stable/tensor.h>
#include <torch/headeronly/core/ScalarType.h>

#include <sstream>
#include <stdexcept>

namespace mrirecon {

using torch::headeronly::ScalarType;
using torch::stable::Tensor;

template <class... Parts>
void require(bool holds, const Parts&... parts) {
  if (holds) return;
  std::ostringstream text;
  (text << ... << parts);
  throw std::invalid_argument(text.str());
}

// A shape as text, "(2, 3)". Written only if the check fails: a check is made at every call, and
// the text would take longer than a small kernel.
struct ShapeText {
  const Tensor& tensor;
};

inline std::ostream& operator<<(std::ostream& text, const ShapeText& shape) {
  const int64_t dim = shape.tensor.dim();
  text << '(';
  for (int64_t axis = 0; axis < dim; ++axis) text << (axis ? ", " : "") << shape.tensor.size(axis);
  return text << (dim == 1 ? ",)" : ")");
}

inline ShapeText shape_text(const Tensor& tensor) { return {tensor}; }

inline bool same_shape(const Tensor& a, const Tensor& b) {
  if (a.dim() != b.dim()) return false;
  for (int64_t axis = 0; axis < a.dim(); ++axis)
    if (a.size(axis) != b.size(axis)) return false;
  return true;
}

struct DeviceText {
  const Tensor& tensor;
};

inline std::ostream& operator<<(std::ostream& text, const DeviceText& device) {
  if (!device.tensor.is_cuda()) return text << "cpu";
  return text << "cuda:" << device.tensor.get_device_index();
}

inline void require_same_device(const char* name, const Tensor& tensor, const Tensor& reference) {
  require(tensor.is_cuda() == reference.is_cuda() &&
              tensor.get_device_index() == reference.get_device_index(),
          name, ": expected ", DeviceText{reference}, ", the device of the other tensors, got ",
          DeviceText{tensor});
}

inline void require_complex(const char* name, const Tensor& tensor) {
  const ScalarType type = tensor.scalar_type();
  require(type == ScalarType::ComplexFloat || type == ScalarType::ComplexDouble, name,
          ": expected complex64 or complex128, got ", torch::headeronly::toString(type));
}

}  // namespace mrirecon
