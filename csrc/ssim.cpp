#include "ssim.h"

#include <string>
#include <tuple>
#include <vector>

#include "op.h"

namespace mrirecon {
namespace {

using Shape = std::vector<int64_t>;

Shape shape_of(const Tensor& tensor) { return {tensor.sizes().begin(), tensor.sizes().end()}; }

int window_size(const std::string& window) {
  require(window == "uniform" || window == "gaussian",
          "window: expected 'uniform' or 'gaussian', got '", window, "'");
  return window == "uniform" ? UniformWindow::kSize : GaussianWindow::kSize;
}

void require_like(const char* name, const Tensor& tensor, const Tensor& prediction) {
  require(tensor.scalar_type() == prediction.scalar_type(), name, ": expected ",
          torch::headeronly::toString(prediction.scalar_type()), ", the prediction's dtype, got ",
          torch::headeronly::toString(tensor.scalar_type()));
  require_same_device(name, tensor, prediction);
}

// The operands of every operator here, checked and contiguous. The data range is one for each
// image.
struct Operands {
  Tensor prediction, target, data_range;
  int size;         // of the window
  Shape map_shape;  // (..., rows - size + 1, cols - size + 1)

  Operands(const Tensor& prediction_, const Tensor& target_, const Tensor& data_range_,
           const std::string& window)
      : prediction(prediction_),
        target(target_),
        data_range(data_range_),
        size(window_size(window)),
        map_shape(shape_of(prediction_)) {
    check();
    prediction = torch::stable::contiguous(prediction_);
    target = torch::stable::contiguous(target_);
    data_range = torch::stable::contiguous(data_range_);
    map_shape[map_shape.size() - 2] -= size - 1;
    map_shape[map_shape.size() - 1] -= size - 1;
  }

  Shape image_shape() const { return {map_shape.begin(), map_shape.end() - 2}; }

  template <class T>
  Ssim<T> args() const {
    Ssim<T> args{};
    args.prediction = static_cast<const T*>(prediction.const_data_ptr());
    args.target = static_cast<const T*>(target.const_data_ptr());
    args.data_range = static_cast<const T*>(data_range.const_data_ptr());
    args.images = data_range.numel();
    args.rows = prediction.size(prediction.dim() - 2);
    args.cols = prediction.size(prediction.dim() - 1);
    args.window_size = size;
    return args;
  }

 private:
  void check() const {
    const ScalarType type = prediction.scalar_type();
    require(type == ScalarType::Float || type == ScalarType::Double,
            "prediction: expected float32 or float64, got ", torch::headeronly::toString(type));
    require_like("target", target, prediction);
    require_like("data_range", data_range, prediction);
    const int64_t dim = prediction.dim();
    require(dim >= 2 && prediction.size(dim - 2) >= size && prediction.size(dim - 1) >= size,
            "prediction: expected (..., rows, cols) of at least ", size, " x ", size,
            ", the window, got ", shape_text(prediction));
    require(same_shape(target, prediction), "target: expected the prediction's shape ",
            shape_text(prediction), ", got ", shape_text(target));
    const Shape shape = shape_of(prediction);
    require(shape_of(data_range) == Shape(shape.begin(), shape.end() - 2),
            "data_range: expected one for each image of ", shape_text(prediction), ", got ",
            shape_text(data_range));
  }
};

Tensor new_tensor(const Tensor& like, const Shape& shape) {
  return torch::stable::new_empty(like, {shape.data(), shape.size()});
}

template <class T>
T* mutable_data(const Tensor& tensor) {
  return static_cast<T*>(tensor.mutable_data_ptr());
}

// Run `args` with the scratch that it needs, and average its tile sums.
template <class T>
Tensor run_mean(const Operands& operands, Ssim<T> args) {
  const int64_t n_tiles =
      args.row_tiles() * (runs_on_gpu(operands.prediction) ? args.col_tiles() : 1);
  const Tensor tile_sums = new_tensor(operands.prediction, {args.images, n_tiles});
  const Tensor mean = new_tensor(operands.prediction, operands.image_shape());
  args.tile_sums = mutable_data<T>(tile_sums);
  run(operands.prediction, args);
  run(operands.prediction, SsimMean<T>{args.tile_sums, mutable_data<T>(mean), args.images, n_tiles,
                                       args.map_rows() * args.map_cols()});
  return mean;
}

Tensor ssim_mean(const Tensor& prediction, const Tensor& target, const Tensor& data_range,
                 const std::string& window) {
  const Operands operands(prediction, target, data_range, window);
  Tensor mean;
  dispatch_real(prediction.scalar_type(),
                [&](auto real) { mean = run_mean(operands, operands.args<decltype(real)>()); });
  return mean;
}

Tensor ssim_map(const Tensor& prediction, const Tensor& target, const Tensor& data_range,
                const std::string& window) {
  const Operands operands(prediction, target, data_range, window);
  const Tensor map = new_tensor(prediction, operands.map_shape);
  dispatch_real(prediction.scalar_type(), [&](auto real) {
    using T = decltype(real);
    Ssim<T> args = operands.args<T>();
    args.map = mutable_data<T>(map);
    run(prediction, args);
  });
  return map;
}

// GPU only: the coefficients that its first kernel leaves for its second.
Tensor new_scratch(const Operands& operands) {
  Shape shape = operands.map_shape;
  shape.insert(shape.begin(), runs_on_gpu(operands.prediction) ? 3 : 0);
  return new_tensor(operands.prediction, shape);
}

std::tuple<Tensor, Tensor> ssim_mean_with_grad(const Tensor& prediction, const Tensor& target,
                                               const Tensor& data_range,
                                               const std::string& window) {
  const Operands operands(prediction, target, data_range, window);
  const Tensor grad = torch::stable::empty_like(operands.prediction);
  const Tensor scratch = new_scratch(operands);
  Tensor mean;
  dispatch_real(prediction.scalar_type(), [&](auto real) {
    using T = decltype(real);
    Ssim<T> args = operands.args<T>();
    args.grad = mutable_data<T>(grad);
    args.coefficients = mutable_data<T>(scratch);
    mean = run_mean(operands, args);
  });
  return {mean, grad};
}

Tensor grad_ssim_map(const Tensor& grad_map, const Tensor& prediction, const Tensor& target,
                     const Tensor& data_range, const std::string& window) {
  const Operands operands(prediction, target, data_range, window);
  require_like("grad_map", grad_map, prediction);
  require(shape_of(grad_map) == operands.map_shape, "grad_map: expected the map's shape, got ",
          shape_text(grad_map));
  const Tensor weights = torch::stable::contiguous(grad_map);
  const Tensor grad = torch::stable::empty_like(operands.prediction);
  const Tensor scratch = new_scratch(operands);
  dispatch_real(prediction.scalar_type(), [&](auto real) {
    using T = decltype(real);
    Ssim<T> args = operands.args<T>();
    args.grad_map = static_cast<const T*>(weights.const_data_ptr());
    args.grad = mutable_data<T>(grad);
    args.coefficients = mutable_data<T>(scratch);
    run(prediction, args);
  });
  return grad;
}

template <class Library>
void register_ssim(Library& m) {
  m.impl("ssim_mean", TORCH_BOX(&ssim_mean));
  m.impl("ssim_mean_with_grad", TORCH_BOX(&ssim_mean_with_grad));
  m.impl("ssim_map", TORCH_BOX(&ssim_map));
  m.impl("grad_ssim_map", TORCH_BOX(&grad_ssim_map));
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(MRIRECON_NAMESPACE, CPU, m) { register_ssim(m); }
STABLE_TORCH_LIBRARY_IMPL(MRIRECON_NAMESPACE, CUDA, m) { register_ssim(m); }

}  // namespace mrirecon
