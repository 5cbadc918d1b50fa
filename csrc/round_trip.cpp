// On the CPU. On a GPU the same is composed of torch's operators (mrirecon/ops/round_trip.py), and
// the emulated library has only the kernels of a GPU.
#ifndef MRIRECON_EMULATED

#include "round_trip.h"

#include <cmath>
#include <optional>
#include <vector>

#include "op.h"
#include "scratch.h"

namespace mrirecon {
namespace {

using Optional = std::optional<Tensor>;

constexpr uintptr_t kCacheLine = 64;  // bytes

template <class T>
std::vector<Complex<T>> roots_of_unity(int64_t n) {
  constexpr double kFullTurn = 6.283185307179586476925;
  std::vector<Complex<T>> roots(static_cast<size_t>(n));
  for (int64_t j = 0; j < n; ++j) {
    const double angle = kFullTurn * static_cast<double>(j) / static_cast<double>(n);
    roots[static_cast<size_t>(j)] = {static_cast<T>(std::cos(angle)),
                                     static_cast<T>(-std::sin(angle))};
  }
  return roots;
}

ScalarType real_type_of(const Tensor& image) {
  const ScalarType type = image.scalar_type();
  const bool is_double = type == ScalarType::ComplexDouble || type == ScalarType::Double;
  return is_double ? ScalarType::Double : ScalarType::Float;
}

void require_length(const char* name, int64_t n) {
  for (const int64_t factor : {2, 3, 5, 7})
    while (n > 1 && n % factor == 0) n /= factor;
  require(n <= 1, name, ": expected a size of factors 2, 3, 5 and 7, got the factor ", n);
}

void require_like(const char* name, const Tensor& tensor, const Tensor& image) {
  require(tensor.scalar_type() == image.scalar_type() && same_shape(tensor, image), name,
          ": expected ", torch::headeronly::toString(image.scalar_type()), ' ', shape_text(image),
          ", as the image, got ", torch::headeronly::toString(tensor.scalar_type()), ' ',
          shape_text(tensor));
  require_same_device(name, tensor, image);
}

void require_each(const char* name, const Tensor& tensor, ScalarType type, int64_t count,
                  const Tensor& image) {
  require(tensor.scalar_type() == type && tensor.dim() == 1 && tensor.size(0) == count, name,
          ": expected ", torch::headeronly::toString(type), " (", count, ",), got ",
          torch::headeronly::toString(tensor.scalar_type()), ' ', shape_text(tensor));
  require_same_device(name, tensor, image);
}

// Whole images by each thread, and those left over by all threads together.
template <class T>
void run_planes(RoundTrip<T> trip) {
  const int64_t n_threads = torch::stable::get_num_threads();
  trip.whole_planes = trip.n_planes() / n_threads * n_threads;
  if (trip.whole_planes > 0) run_cpu(trip);
  if (trip.whole_planes == trip.n_planes()) return;
  const Scratch memory(sizeof(Complex<T>) * static_cast<size_t>(trip.plane_size()));
  for (int64_t plane = trip.whole_planes; plane < trip.n_planes(); ++plane)
    for (int64_t coil = 0; coil < trip.coils; ++coil)
      for (const TripStep step : {TripStep::rows, TripStep::columns, TripStep::rows_back})
        run_cpu(RoundTripStep<T>{trip, plane, coil, step, memory.as<Complex<T>>()});
}

// What the operators share: sizes, mask, and the axes along which it varies.
template <class T>
class Trip {
 public:
  Trip(const Tensor& image, const Tensor& mask) : mask_(mask) {
    trip_.extent = extent_of("image", image);
    trip_.mask = mask_view(mask, trip_.extent);
    trip_.coils = 1;
    const int64_t dim = mask.dim();
    const bool along_rows = dim > 1 && mask.size(dim - 2) > 1;
    const bool along_cols = mask.size(dim - 1) > 1 || !along_rows;
    if (along_rows) trip_.row_roots = roots_along("rows", trip_.extent.rows, row_roots_);
    if (along_cols) trip_.col_roots = roots_along("cols", trip_.extent.cols, col_roots_);
  }

  RoundTrip<T>* operator->() { return &trip_; }

  void set_weights(double measured, double rest) {
    trip_.measured = static_cast<T>(measured / n_points_);
    trip_.rest = static_cast<T>(rest / n_points_);
    trip_.noise_scale = static_cast<T>(1 / std::sqrt(n_points_));
  }

  void set_image(const Tensor& image) {
    const bool is_complex = image.scalar_type() == ScalarType::ComplexFloat ||
                            image.scalar_type() == ScalarType::ComplexDouble;
    if (is_complex)
      trip_.image = complex_data<T>(image);
    else
      trip_.real_image = static_cast<const T*>(image.const_data_ptr());
  }

  void write_to(const Tensor& out) {
    if (out.numel() == 0) return;
    trip_.out = mutable_complex_data<T>(out);
    const int64_t n_bytes = out.numel() * static_cast<int64_t>(sizeof(Complex<T>));
    const bool is_aligned = reinterpret_cast<uintptr_t>(trip_.out) % kCacheLine == 0 &&
                            trip_.extent.cols % kTripLanes == 0;
    trip_.streams = n_bytes >= kStreamedBytes && is_aligned && trip_.coils == 1;
    trip_.is_plane_wise() ? run_planes(trip_) : run_cpu(trip_);
  }

 private:
  const Complex<T>* roots_along(const char* name, int64_t n, std::vector<Complex<T>>& roots) {
    require_length(name, n);
    n_points_ *= static_cast<double>(n);
    roots = roots_of_unity<T>(n);
    return roots.data();
  }

  Tensor mask_;  // kept alive
  RoundTrip<T> trip_{};
  std::vector<Complex<T>> row_roots_, col_roots_;
  double n_points_ = 1;
};

template <class T>
void read_weights(const Tensor& weights, Trip<T>& trip) {
  const Tensor dense = torch::stable::contiguous(weights);
  const T* data = static_cast<const T*>(dense.const_data_ptr());
  trip.set_weights(static_cast<double>(data[0]), static_cast<double>(data[1]));
}

void require_weights(const Tensor& weights, const Tensor& image) {
  require_each("weights", weights, real_type_of(image), 2, image);
}

void require_maps(const Tensor& maps, const Tensor& image) {
  require(image.dim() == 4 && image.size(1) == 1,
          "image: expected (batch, 1, rows, cols) beside coil_maps, got ", shape_text(image));
  const bool fits = maps.scalar_type() == image.scalar_type() && maps.dim() == 4 &&
                    maps.size(1) > 0 && (maps.size(0) == 1 || maps.size(0) == image.size(0)) &&
                    maps.size(2) == image.size(2) && maps.size(3) == image.size(3);
  require(fits, "coil_maps: expected ", torch::headeronly::toString(image.scalar_type()), " (1 or ",
          image.size(0), ", coils, ", image.size(2), ", ", image.size(3), "), got ",
          torch::headeronly::toString(maps.scalar_type()), ' ', shape_text(maps));
  require_same_device("coil_maps", maps, image);
}

Tensor weigh_kspace(const Tensor& image, const Optional& coil_maps, const Tensor& mask,
                    const Tensor& weights) {
  require_complex("image", image);
  require_same_device("mask", mask, image);
  require_weights(weights, image);
  if (coil_maps) require_maps(*coil_maps, image);
  const Tensor source = torch::stable::contiguous(image);
  const Tensor maps = torch::stable::contiguous(coil_maps ? *coil_maps : image);
  const Tensor out = torch::stable::empty_like(source);
  dispatch_real(image.scalar_type(), [&](auto real) {
    using T = decltype(real);
    Trip<T> trip(source, mask);
    trip.set_image(source);
    read_weights(weights, trip);
    if (coil_maps) {
      trip->coil_maps = complex_data<T>(maps);
      trip->coils = maps.size(1);
      trip->maps_are_shared = maps.size(0) == 1;
    }
    trip.write_to(out);
  });
  return out;
}

Tensor enforce_image_consistency(const Tensor& image, const Tensor& zero_filled, const Tensor& mask,
                                 const Tensor& weights) {
  require_complex("image", image);
  require_like("zero_filled", zero_filled, image);
  require_same_device("mask", mask, image);
  require_weights(weights, image);
  const Tensor source = torch::stable::contiguous(image);
  const Tensor base = torch::stable::contiguous(zero_filled);
  const Tensor out = torch::stable::empty_like(source);
  dispatch_real(image.scalar_type(), [&](auto real) {
    using T = decltype(real);
    Trip<T> trip(source, mask);
    trip.set_image(source);
    trip->base = complex_data<T>(base);
    read_weights(weights, trip);
    trip.write_to(out);
  });
  return out;
}

Tensor undersample_image(const Tensor& image, const Tensor& mask, const Optional& noise_std,
                         const Optional& seeds) {
  const ScalarType type = image.scalar_type(), real_type = real_type_of(image);
  require(type == ScalarType::Float || type == ScalarType::Double ||
              type == ScalarType::ComplexFloat || type == ScalarType::ComplexDouble,
          "image: expected float32, float64, complex64 or complex128, got ",
          torch::headeronly::toString(type));
  require_same_device("mask", mask, image);
  require(noise_std.has_value() == seeds.has_value(), noise_std ? "seeds" : "noise_std",
          ": expected it beside noise_std or seeds, got none");
  const Tensor source = torch::stable::contiguous(image);
  const bool is_double = real_type == ScalarType::Double;
  const Tensor out = torch::stable::new_empty(
      source, source.sizes(), is_double ? ScalarType::ComplexDouble : ScalarType::ComplexFloat);
  const Tensor stds = torch::stable::contiguous(noise_std ? *noise_std : source);
  const Tensor keys = torch::stable::contiguous(seeds ? *seeds : source);
  dispatch_real(type, [&](auto real) {
    using T = decltype(real);
    Trip<T> trip(source, mask);
    trip.set_image(source);
    trip.set_weights(1, 0);
    if (noise_std) {
      require_each("noise_std", stds, real_type, trip->extent.batch, image);
      require_each("seeds", keys, ScalarType::Long, trip->extent.batch, image);
      trip->noise_std = static_cast<const T*>(stds.const_data_ptr());
      trip->seeds = static_cast<const int64_t*>(keys.const_data_ptr());
    }
    trip.write_to(out);
  });
  return out;
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(MRIRECON_NAMESPACE, CPU, m) {
  m.impl("weigh_kspace", TORCH_BOX(&weigh_kspace));
  m.impl("enforce_image_consistency", TORCH_BOX(&enforce_image_consistency));
  m.impl("undersample_image", TORCH_BOX(&undersample_image));
}

}  // namespace mrirecon

#endif
