// Argument checks, one wording for every backend: "name: expected ..., got ...".
// std::invalid_argument becomes a ValueError in Python; the stable ABI offers no TypeError, so a
// wrong dtype is a ValueError too.
#pragma once

#include <torch/csrc/stable/tensor.h>
#include <torch/headeronly/core/ScalarType.h>

#include <sstream>
#include <stdexcept>
#include <string>

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

inline std::string shape_text(const Tensor& tensor) {
  std::ostringstream text;
  text << '(';
  for (int64_t axis = 0; axis < tensor.dim(); ++axis)
    text << (axis ? ", " : "") << tensor.size(axis);
  text << (tensor.dim() == 1 ? ",)" : ")");
  return text.str();
}

inline bool same_shape(const Tensor& a, const Tensor& b) {
  if (a.dim() != b.dim()) return false;
  for (int64_t axis = 0; axis < a.dim(); ++axis)
    if (a.size(axis) != b.size(axis)) return false;
  return true;
}

inline void require_same_device(const char* name, const Tensor& tensor, const Tensor& reference) {
  require(tensor.is_cuda() == reference.is_cuda() &&
              tensor.get_device_index() == reference.get_device_index(),
          name, ": expected the device of the other tensors, got another one");
}

inline void require_complex(const char* name, const Tensor& tensor) {
  const ScalarType type = tensor.scalar_type();
  require(type == ScalarType::ComplexFloat || type == ScalarType::ComplexDouble, name,
          ": expected complex64 or complex128, got ", torch::headeronly::toString(type));
}

}  // namespace mrirecon
