#include "instance_norm.h"

#include <optional>
#include <tuple>

#include "op.h"

namespace mrirecon {
namespace {

using Format = torch::headeronly::MemoryFormat;
using OptionalTensor = std::optional<Tensor>;

bool is_floating(ScalarType type) {
  return type == ScalarType::Float || type == ScalarType::Double || type == ScalarType::BFloat16;
}

// What a number of `type` is computed with.
ScalarType real_type(ScalarType type) {
  return type == ScalarType::Double ? ScalarType::Double : ScalarType::Float;
}

// (batch, channels, rows, cols), dense, with the channels side by side. As torch has it: the
// stride of an axis of 1 does not matter, and what is contiguous is not channels-last.
Format format_of(const Tensor& x) {
  if (x.is_contiguous()) return Format::Contiguous;
  int64_t stride = 1;
  for (const int axis : {1, 3, 2, 0}) {
    if (x.size(axis) != 1 && x.stride(axis) != stride) return Format::Contiguous;
    stride *= x.size(axis);
  }
  return Format::ChannelsLast;
}

NormExtent norm_extent(const Tensor& x, Format format, int64_t pad) {
  const int64_t batch = x.size(0), channels = x.size(1), rows = x.size(2), cols = x.size(3);
  return format == Format::ChannelsLast ? NormExtent{batch, rows, cols, channels, pad}
                                        : NormExtent{batch * channels, rows, cols, 1, pad};
}

using Shape = torch::headeronly::IntHeaderOnlyArrayRef;

Tensor new_tensor(const Tensor& like, Shape shape, ScalarType type,
                  Format format = Format::Contiguous) {
  return torch::stable::empty(shape, type, std::nullopt, like.device(), std::nullopt, format);
}

template <class T>
const T* data(const Tensor& tensor) {
  return static_cast<const T*>(tensor.const_data_ptr());
}
template <class T>
const T* data(const OptionalTensor& tensor) {
  return tensor ? data<T>(*tensor) : nullptr;
}
template <class T>
T* mutable_data(const Tensor& tensor) {
  return static_cast<T*>(tensor.mutable_data_ptr());
}

void require_like(const char* name, const Tensor& tensor, ScalarType type, const Tensor& x) {
  require(tensor.scalar_type() == type, name, ": expected ", torch::headeronly::toString(type),
          " beside x of ", torch::headeronly::toString(x.scalar_type()), ", got ",
          torch::headeronly::toString(tensor.scalar_type()));
  require_same_device(name, tensor, x);
}

void require_channels(const char* name, const Tensor& tensor, const Tensor& x) {
  require_like(name, tensor, real_type(x.scalar_type()), x);
  require(tensor.dim() == 2 && tensor.size(0) == x.size(0) && tensor.size(1) == x.size(1), name,
          ": expected (batch, channels) = (", x.size(0), ", ", x.size(1), "), got ",
          shape_text(tensor));
}

void require_output_like(const char* name, const Tensor& tensor, const Tensor& x, int64_t pad) {
  require_like(name, tensor, x.scalar_type(), x);
  const int64_t rows = x.size(2) + 2 * pad, cols = x.size(3) + 2 * pad;
  require(tensor.dim() == 4 && tensor.size(0) == x.size(0) && tensor.size(1) == x.size(1) &&
              tensor.size(2) == rows && tensor.size(3) == cols,
          name, ": expected the output's shape (", x.size(0), ", ", x.size(1), ", ", rows, ", ",
          cols, "), got ", shape_text(tensor));
}

void check_features(const Tensor& x, const OptionalTensor& slope, const OptionalTensor& keep,
                    int64_t pad) {
  require(is_floating(x.scalar_type()), "x: expected float32, float64 or bfloat16, got ",
          torch::headeronly::toString(x.scalar_type()));
  require(x.dim() == 4, "x: expected (batch, channels, rows, cols), got ", shape_text(x));
  require(pad == 0 || (pad > 0 && pad < x.size(2) && pad < x.size(3)),
          "pad: expected 0 or more, less than the rows and the cols of x ", shape_text(x), ", got ",
          pad);
  if (slope) {
    require_like("slope", *slope, real_type(x.scalar_type()), x);
    require(slope->dim() == 1 && slope->size(0) == 1, "slope: expected (1,), got ",
            shape_text(*slope));
  }
  if (keep) require_channels("keep", *keep, x);
}

OptionalTensor dense(const OptionalTensor& tensor, Format format = Format::Contiguous) {
  return tensor ? OptionalTensor(torch::stable::contiguous(*tensor, format)) : std::nullopt;
}

// Call `body` with a value of the type that a tensor of `type` holds.
template <class Body>
void dispatch_floating(ScalarType type, const Body& body) {
  if (type == ScalarType::BFloat16)
    body(BFloat16{});
  else
    dispatch_real(type, body);
}

std::tuple<Tensor, Tensor, Tensor> instance_norm(const Tensor& x, const OptionalTensor& slope,
                                                 const OptionalTensor& keep,
                                                 const OptionalTensor& residual, double eps,
                                                 int64_t pad) {
  check_features(x, slope, keep, pad);
  if (residual) require_output_like("residual", *residual, x, pad);
  require(eps > 0, "eps: expected more than 0, got ", eps);
  const Format format = format_of(x);
  const ScalarType type = x.scalar_type(), real = real_type(type);
  const Tensor mean = new_tensor(x, {x.size(0), x.size(1)}, real);
  const Tensor rstd = new_tensor(x, {x.size(0), x.size(1)}, real);
  const Tensor out =
      new_tensor(x, {x.size(0), x.size(1), x.size(2) + 2 * pad, x.size(3) + 2 * pad}, type, format);
  if (x.numel() == 0) return {out, mean, rstd};

  const NormExtent extent = norm_extent(x, format, pad);
  const Tensor features = torch::stable::contiguous(x, format);
  const OptionalTensor factors = dense(keep), added = dense(residual, format);
  const Tensor partials =
      new_tensor(x, {extent.images, extent.n_chunks(), 2, extent.channels}, real);
  dispatch_floating(type, [&](auto value) {
    using T = decltype(value);
    using S = Real<T>;
    run(x, NormMoments<T>{data<T>(features), mutable_data<S>(partials), extent});
    run(x, NormStatistics<S>{data<S>(partials), mutable_data<S>(mean), mutable_data<S>(rstd),
                             static_cast<S>(eps), extent});
    const NormChannels<S> channels{data<S>(mean), data<S>(rstd), data<S>(factors), data<S>(slope)};
    run(x, ApplyNorm<T>{data<T>(features), data<T>(added), mutable_data<T>(out), channels, extent});
  });
  return {out, mean, rstd};
}

std::tuple<Tensor, Tensor> grad_instance_norm(const Tensor& grad_out, const Tensor& x,
                                              const Tensor& mean, const Tensor& rstd,
                                              const OptionalTensor& slope,
                                              const OptionalTensor& keep, int64_t pad) {
  check_features(x, slope, keep, pad);
  require_output_like("grad_out", grad_out, x, pad);
  require_channels("mean", mean, x);
  require_channels("rstd", rstd, x);
  const Format format = format_of(x);
  const ScalarType type = x.scalar_type(), real = real_type(type);
  const Tensor grad_slope = torch::stable::new_zeros(x, {x.size(0), x.size(1)}, real);
  const Tensor grad_x = new_tensor(x, x.sizes(), type, format);
  if (x.numel() == 0) return {grad_x, grad_slope};

  const NormExtent extent = norm_extent(x, format, pad);
  const Tensor features = torch::stable::contiguous(x, format);
  const Tensor grad = torch::stable::contiguous(grad_out, format);
  const OptionalTensor factors = dense(keep);
  const Tensor means = torch::stable::contiguous(mean), scales = torch::stable::contiguous(rstd);
  const Tensor partials =
      new_tensor(x, {extent.images, extent.n_chunks(), 3, extent.channels}, real);
  const Tensor grad_means = new_tensor(x, {2, x.size(0), x.size(1)}, real);
  dispatch_floating(type, [&](auto value) {
    using T = decltype(value);
    using S = Real<T>;
    const NormChannels<S> channels{data<S>(means), data<S>(scales), data<S>(factors),
                                   data<S>(slope)};
    S *of_grad = mutable_data<S>(grad_means), *of_product = of_grad + extent.n_statistics();
    run(x, GradNormSums<T>{data<T>(grad), data<T>(features), mutable_data<S>(partials), channels,
                           extent});
    run(x, GradNormMeans<S>{data<S>(partials), channels.keep, of_grad, of_product,
                            mutable_data<S>(grad_slope), extent});
    run(x, GradNorm<T>{data<T>(grad), data<T>(features), of_grad, of_product,
                       mutable_data<T>(grad_x), channels, extent});
  });
  return {grad_x, grad_slope};
}

template <class Library>
void register_instance_norm(Library& m) {
  m.impl("instance_norm", TORCH_BOX(&instance_norm));
  m.impl("grad_instance_norm", TORCH_BOX(&grad_instance_norm));
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(MRIRECON_NAMESPACE, CPU, m) { register_instance_norm(m); }
STABLE_TORCH_LIBRARY_IMPL(MRIRECON_NAMESPACE, CUDA, m) { register_instance_norm(m); }

}  // namespace mrirecon
