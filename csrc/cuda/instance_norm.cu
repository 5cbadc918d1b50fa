// A thread owns units of a chunk, as norm_units.h says. Sums are float for float and bfloat16, of
// numbers that do not cancel, added pairwise in one order: no atomics. Bytes that must move, for S
// numbers of R bytes: R S for the moments, 2 R S to apply, 2 R S for the sums of the gradient, and
// 3 R S for the gradient.
#include <initializer_list>

#include "norm_units.h"

namespace mrirecon {
namespace {

template <class T, int width>
__global__ void __launch_bounds__(kThreads) moments_kernel(NormMoments<T> args) {
  using S = Real<T>;
  const NormExtent& extent = args.extent;
  const Place<width> place(extent, extent.n_chunks(), extent.rows, extent.cols * extent.channels);
  const T* x = args.x + place.image * extent.image_size() +
               place.first_row * extent.cols * extent.channels + place.channel;
  const S n = static_cast<S>(extent.chunk_pixels(place.chunk));
  S origin[1][width] = {};
  for (int i = place.first; i < place.n_units; i += place.step) {
    const auto values = load<width>(x + int64_t{i} * place.unit_size);
    for (int lane = 0; lane < width; ++lane) origin[0][lane] += values.value[lane];
  }
  sum_columns(origin, place);
  for (S& value : origin[0]) value /= n;
  S sums[2][width] = {};  // of deviations from the origin, and of their squares
  for (int i = place.first; i < place.n_units; i += place.step) {
    const auto values = load<width>(x + int64_t{i} * place.unit_size);
    for (int lane = 0; lane < width; ++lane) {
      const S deviation = values.value[lane] - origin[0][lane];
      sums[0][lane] += deviation;
      sums[1][lane] += deviation * deviation;
    }
  }
  sum_columns(sums, place);
  for (int lane = 0; lane < width; ++lane) {
    sums[1][lane] -= sums[0][lane] * sums[0][lane] / n;
    sums[0][lane] = origin[0][lane] + sums[0][lane] / n;
  }
  write_partials(sums, place, extent, args.partials);
}

// A thread owns one channel of one image, here and in means_kernel.
template <class S>
__global__ void __launch_bounds__(kThreads) statistics_kernel(NormStatistics<S> args) {
  const int64_t i = int64_t{blockIdx.x} * kThreads + threadIdx.x, n = args.extent.channels;
  if (i < args.extent.n_statistics()) merge_moments<S>(args, i / n, i % n);
}

template <class T, int width>
__global__ void __launch_bounds__(kThreads) apply_kernel(ApplyNorm<T> args) {
  using S = Real<T>;
  const NormExtent& extent = args.extent;
  const int64_t channels = extent.channels, out_cols = extent.out_cols();
  const Place<width> place(extent, extent.n_out_chunks(), extent.out_rows(), out_cols * channels);
  const ThreadChannels<S, width> of(args.channels, place, channels);
  const T* x = args.x + place.image * extent.image_size() + place.channel;
  const int64_t out =
      place.image * extent.out_image_size() + place.first_row * out_cols * channels + place.channel;
  for (int i = place.first; i < place.n_units; i += place.step) {
    int64_t from = place.first_row * out_cols * channels + int64_t{i} * place.unit_size;
    if (extent.pad > 0) {  // then a unit has one pixel
      const int cols = static_cast<int>(out_cols);
      const int64_t row = reflected(place.first_row + i / cols - extent.pad, extent.rows);
      from = (row * extent.cols + reflected(i % cols - extent.pad, extent.cols)) * channels;
    }
    const int64_t to = out + int64_t{i} * place.unit_size;
    auto values = load<width>(x + from);
    for (int lane = 0; lane < width; ++lane)
      values.value[lane] = of.keep[lane] * prelu(of.normal(values.value[lane], lane), of.slope);
    if (args.residual) {
      const auto residual = load<width>(args.residual + to);
      for (int lane = 0; lane < width; ++lane) values.value[lane] += residual.value[lane];
    }
    store(values, args.out + to);
  }
}

// The gradient to unit i of x, of whose pixels some are also in the border.
template <int width, class T>
__device__ Numbers<Real<T>, width> load_grad(const T* grad_out, int i, const Place<width>& place,
                                             const NormExtent& extent) {
  const T* grad = grad_out + place.image * extent.out_image_size() + place.channel;
  if (extent.pad == 0)
    return load<width>(grad + place.first_row * extent.cols * extent.channels +
                       int64_t{i} * place.unit_size);
  const int rows = static_cast<int>(extent.rows), cols = static_cast<int>(extent.cols);
  const int row = static_cast<int>(place.first_row) + i / cols, col = i % cols;
  const int pad = static_cast<int>(extent.pad), out_cols = cols + 2 * pad;
  Numbers<Real<T>, width> sum = {};
  // Few pixels have more than one place: unrolled, the loops would cost registers of all.
#pragma unroll 1
  for (int place_of_row = 0; place_of_row < 3; ++place_of_row) {
    const int out_row = place_in_output(row, place_of_row, rows, pad);
    if (out_row < 0) continue;
#pragma unroll 1
    for (int place_of_col = 0; place_of_col < 3; ++place_of_col) {
      const int out_col = place_in_output(col, place_of_col, cols, pad);
      if (out_col < 0) continue;
      const auto values =
          load<width>(grad + (int64_t{out_row} * out_cols + out_col) * place.unit_size);
      for (int lane = 0; lane < width; ++lane) sum.value[lane] += values.value[lane];
    }
  }
  return sum;
}

template <class T, int width>
__global__ void __launch_bounds__(kThreads) grad_sums_kernel(GradNormSums<T> args) {
  using S = Real<T>;
  const NormExtent& extent = args.extent;
  const Place<width> place(extent, extent.n_chunks(), extent.rows, extent.cols * extent.channels);
  const ThreadChannels<S, width> of(args.channels, place, extent.channels);
  const T* x = args.x + place.image * extent.image_size() +
               place.first_row * extent.cols * extent.channels + place.channel;
  S sums[3][width] = {};
  for (int i = place.first; i < place.n_units; i += place.step) {
    const auto values = load<width>(x + int64_t{i} * place.unit_size);
    const auto grad_out = load_grad<width>(args.grad_out, i, place, extent);
    for (int lane = 0; lane < width; ++lane) {
      const S normal = of.normal(values.value[lane], lane);
      const S grad_normal = grad_prelu(grad_out.value[lane], normal, of.slope);
      sums[0][lane] += grad_normal;
      sums[1][lane] += grad_normal * normal;
      sums[2][lane] += grad_slope_of(grad_out.value[lane], normal);
    }
  }
  sum_columns(sums, place);
  write_partials(sums, place, extent, args.partials);
}

template <class S>
__global__ void __launch_bounds__(kThreads) means_kernel(GradNormMeans<S> args) {
  const int64_t i = int64_t{blockIdx.x} * kThreads + threadIdx.x, n = args.extent.channels;
  if (i < args.extent.n_statistics()) merge_grad_sums<S>(args, i / n, i % n);
}

template <class T, int width>
__global__ void __launch_bounds__(kThreads) grad_kernel(GradNorm<T> args) {
  using S = Real<T>;
  const NormExtent& extent = args.extent;
  const Place<width> place(extent, extent.n_chunks(), extent.rows, extent.cols * extent.channels);
  if (place.n_units == 0) return;
  const ThreadChannels<S, width> of(args.channels, place, extent.channels);
  S mean[width], product[width];
  for (int lane = 0; lane < width; ++lane) {
    mean[lane] = place.of_channel(args.mean, extent.channels, lane);
    product[lane] = place.of_channel(args.mean_product, extent.channels, lane);
  }
  const int64_t first = place.image * extent.image_size() +
                        place.first_row * extent.cols * extent.channels + place.channel;
  for (int i = place.first; i < place.n_units; i += place.step) {
    const int64_t at = first + int64_t{i} * place.unit_size;
    auto values = load<width>(args.x + at);
    const auto grad_out = load_grad<width>(args.grad_out, i, place, extent);
    for (int lane = 0; lane < width; ++lane) {
      const S normal = of.normal(values.value[lane], lane);
      const S grad_normal = grad_prelu(grad_out.value[lane], normal, of.slope);
      values.value[lane] =
          of.keep[lane] * of.rstd[lane] * (grad_normal - mean[lane] - normal * product[lane]);
    }
    store(values, args.grad_x + at);
  }
}

// Whether every unit of `width` numbers is whole, and begins where 16 bytes may be read at once.
template <class T>
bool is_wide(const NormExtent& extent, std::initializer_list<const T*> pointers) {
  for (const T* pointer : pointers)
    if (reinterpret_cast<uintptr_t>(pointer) % 16 != 0) return false;
  return extent.channels == 1 ? extent.pad == 0 && extent.cols % kWidest<T> == 0
                              : extent.channels % kWidest<T> == 0;
}

template <auto wide, auto narrow, class T, class Args>
void launch(const Args& args, std::initializer_list<const T*> pointers, Stream stream) {
  const bool wide_fits = is_wide<T>(args.extent, pointers);
  const Sharing sharing(args.extent, wide_fits ? kWidest<T> : 1);
  const dim3 grid(static_cast<unsigned>(args.n_items() * sharing.n_blocks())), block(kThreads);
  if (wide_fits)
    launch_kernel<wide>(grid, block, 0, stream, args);
  else
    launch_kernel<narrow>(grid, block, 0, stream, args);
}

template <class T>
void launch_moments(const NormMoments<T>& args, Stream stream) {
  launch<moments_kernel<T, kWidest<T>>, moments_kernel<T, 1>, T>(args, {args.x}, stream);
}

template <class T>
void launch_apply(const ApplyNorm<T>& args, Stream stream) {
  launch<apply_kernel<T, kWidest<T>>, apply_kernel<T, 1>, T>(
      args, {args.x, args.residual, args.out}, stream);
}

template <class T>
void launch_grad_sums(const GradNormSums<T>& args, Stream stream) {
  launch<grad_sums_kernel<T, kWidest<T>>, grad_sums_kernel<T, 1>, T>(args, {args.x, args.grad_out},
                                                                     stream);
}

template <class T>
void launch_grad(const GradNorm<T>& args, Stream stream) {
  launch<grad_kernel<T, kWidest<T>>, grad_kernel<T, 1>, T>(
      args, {args.x, args.grad_out, args.grad_x}, stream);
}

template <auto kernel, class Args>
void launch_statistics(const Args& args, Stream stream) {
  const int64_t n_blocks = (args.extent.n_statistics() + kThreads - 1) / kThreads;
  launch_kernel<kernel>(dim3(static_cast<unsigned>(n_blocks)), dim3(kThreads), 0, stream, args);
}

const RegisterCuda<NormMoments<float>> moments_float(launch_moments<float>);
const RegisterCuda<NormMoments<double>> moments_double(launch_moments<double>);
const RegisterCuda<NormMoments<BFloat16>> moments_bfloat16(launch_moments<BFloat16>);
const RegisterCuda<NormStatistics<float>> statistics_float(
    launch_statistics<statistics_kernel<float>, NormStatistics<float>>);
const RegisterCuda<NormStatistics<double>> statistics_double(
    launch_statistics<statistics_kernel<double>, NormStatistics<double>>);
const RegisterCuda<ApplyNorm<float>> apply_float(launch_apply<float>);
const RegisterCuda<ApplyNorm<double>> apply_double(launch_apply<double>);
const RegisterCuda<ApplyNorm<BFloat16>> apply_bfloat16(launch_apply<BFloat16>);
const RegisterCuda<GradNormSums<float>> sums_float(launch_grad_sums<float>);
const RegisterCuda<GradNormSums<double>> sums_double(launch_grad_sums<double>);
const RegisterCuda<GradNormSums<BFloat16>> sums_bfloat16(launch_grad_sums<BFloat16>);
const RegisterCuda<GradNormMeans<float>> means_float(
    launch_statistics<means_kernel<float>, GradNormMeans<float>>);
const RegisterCuda<GradNormMeans<double>> means_double(
    launch_statistics<means_kernel<double>, GradNormMeans<double>>);
const RegisterCuda<GradNorm<float>> grad_float(launch_grad<float>);
const RegisterCuda<GradNorm<double>> grad_double(launch_grad<double>);
const RegisterCuda<GradNorm<BFloat16>> grad_bfloat16(launch_grad<BFloat16>);

}  // namespace
}  // namespace mrirecon
