// A block owns a tile of kTileRows x kTileCols pixels or windows, with its halo in shared memory;
// a lane owns a column of it, a warp every kWarps-th row. The float kernels use no double, which
// most GPUs compute 32 to 64 times more slowly. So nothing may cancel: pixels are measured from one
// of the image's own, and a window's variance is that of its columns' means plus the mean of its
// columns' variances, every one centred before it is squared. There are no atomics: sums have one
// order. Bytes that must move, for numbers of R bytes: 2 R a pixel, with a gradient 5 R and 6 R;
// about 24 k flops a pixel for windows of k x k, and 12 k.
#include <cmath>

#include "../portable.h"
#include "../ssim.h"

namespace mrirecon {
namespace {

constexpr int kThreads =
    256;  // two rows of a tile a thread; three float blocks fit a multiprocessor
constexpr int kWarps = kThreads / 32;
static_assert(kTileCols == 32, "a lane owns a column of the tile");

template <class Window>
constexpr int kHaloRows = kTileRows + Window::kSize - 1;
template <class Window>
constexpr int kHaloCols = kTileCols + Window::kSize - 1;

// The tile of this block: its image and first pixel.
struct Tile {
  int64_t image, row, col;

  template <class T>
  __device__ explicit Tile(const Ssim<T>& args) {
    const int64_t col_tiles = args.col_tiles(), in_image = args.row_tiles() * col_tiles;
    image = blockIdx.x / in_image;
    row = blockIdx.x % in_image / col_tiles * kTileRows;
    col = blockIdx.x % col_tiles * kTileCols;
  }
};

// Sum over the block, complete in thread 0; `warp_sums` is shared, kWarps long.
template <class T>
__device__ T sum_block(T value, T* warp_sums) {
  for (int offset = 16; offset > 0; offset /= 2)
    value += __shfl_xor_sync(0xffffffffu, value, offset);
  if (threadIdx.x % 32 == 0) warp_sums[threadIdx.x / 32] = value;
  __syncthreads();
  T sum = 0;
  for (int warp = 0; warp < kWarps; ++warp) sum += warp_sums[warp];
  return sum;
}

// A point near the image's values; 0 where that pixel is not finite, so that it harms no other.
template <class T>
__device__ T origin_of(const Ssim<T>& args, int64_t image) {
  const T* middle = args.target + (image * args.rows + args.rows / 2) * args.cols + args.cols / 2;
  return std::isfinite(*middle) ? *middle : T(0);
}

template <class T>
struct MeanAndVariance {
  T mean, variance;
};

// Weighted mean of value(0) ... value(kSize - 1) and their variance around it.
template <class Window, class T, class Value>
__device__ MeanAndVariance<T> weighted_moments(const Value& value) {
  T mean = 0, variance = 0;
  for (int i = 0; i < Window::kSize; ++i) mean += T(Window::weight(i)) * value(i);
  for (int i = 0; i < Window::kSize; ++i) {
    const T deviation = value(i) - mean;
    variance += T(Window::weight(i)) * deviation * deviation;
  }
  return {mean, variance};
}

template <class Window, class T, class Value>
__device__ T weighted_sum(const Value& value) {
  T sum = 0;
  for (int i = 0; i < Window::kSize; ++i) sum += T(Window::weight(i)) * value(i);
  return sum;
}

template <class T, class Window>
struct CompareMemory {
  T s[kHaloRows<Window>][kHaloCols<Window>], d[kHaloRows<Window>][kHaloCols<Window>];
  MeanAndVariance<T> columns_s[kTileRows][kHaloCols<Window>];  // of s down each window's column
  MeanAndVariance<T> columns_d[kTileRows][kHaloCols<Window>];
  T warp_sums[kWarps];
};

// Pixels beyond the image repeat its border; no window of the map reaches them.
template <class T, class Window>
__device__ void load_pixels(const Ssim<T>& args, const Tile& tile, T origin,
                            CompareMemory<T, Window>& memory) {
  constexpr int kCols = kHaloCols<Window>;
  for (int i = threadIdx.x; i < kHaloRows<Window> * kCols; i += kThreads) {
    const int64_t row = tile.row + i / kCols, col = tile.col + i % kCols;
    const int64_t index =
        (tile.image * args.rows + (row < args.rows ? row : args.rows - 1)) * args.cols +
        (col < args.cols ? col : args.cols - 1);
    const T x = args.prediction[index], y = args.target[index];
    memory.s[i / kCols][i % kCols] = (x - origin) + (y - origin);
    memory.d[i / kCols][i % kCols] = x - y;
  }
}

template <class T, class Window>
__device__ void reduce_columns(CompareMemory<T, Window>& memory) {
  constexpr int kCols = kHaloCols<Window>;
  for (int i = threadIdx.x; i < kTileRows * kCols; i += kThreads) {
    const int row = i / kCols, col = i % kCols;
    memory.columns_s[row][col] =
        weighted_moments<Window, T>([&](int k) { return memory.s[row + k][col]; });
    memory.columns_d[row][col] =
        weighted_moments<Window, T>([&](int k) { return memory.d[row + k][col]; });
  }
}

// Mean and variance of the window whose columns are columns[0] ... columns[kSize - 1].
template <class Window, class T>
__device__ MeanAndVariance<T> window_moments(const MeanAndVariance<T>* columns) {
  const auto of_means = weighted_moments<Window, T>([&](int k) { return columns[k].mean; });
  const T within = weighted_sum<Window, T>([&](int k) { return columns[k].variance; });
  return {of_means.mean, T(Window::kCovarianceScale) * (of_means.variance + within)};
}

// The map, its sum over the tile, and the coefficients of the gradient: those that are asked for.
template <class T, class Window>
__global__ void __launch_bounds__(kThreads) compare_kernel(Ssim<T> args) {
  auto& memory = shared_memory<CompareMemory<T, Window>>();
  const Tile tile(args);
  const T origin = origin_of(args, tile.image);
  load_pixels(args, tile, origin, memory);
  __syncthreads();
  reduce_columns(memory);
  __syncthreads();

  const SsimConstants<T> constants(args.data_range[tile.image]);
  const int64_t map_rows = args.map_rows(), map_cols = args.map_cols();
  const int64_t map_size = args.images * map_rows * map_cols;
  const int col = threadIdx.x % 32;
  T sum = 0;
  for (int row = threadIdx.x / 32; row < kTileRows; row += kWarps) {
    if (tile.row + row >= map_rows || tile.col + col >= map_cols) continue;
    const int64_t index = (tile.image * map_rows + tile.row + row) * map_cols + tile.col + col;
    const auto s = window_moments<Window>(&memory.columns_s[row][col]);
    const auto d = window_moments<Window>(&memory.columns_d[row][col]);
    const SsimMoments<T> moments{s.mean + 2 * origin, d.mean, s.variance, d.variance};
    if (args.coefficients) {
      const auto gradient = ssim_gradient<Window>(moments, s.mean, constants);
      const T weight = args.grad_map ? args.grad_map[index] : 1 / T(map_rows * map_cols);
      args.coefficients[index] = weight * gradient.constant;
      args.coefficients[map_size + index] = weight * gradient.of_s;
      args.coefficients[2 * map_size + index] = weight * gradient.of_d;
      sum += gradient.value;
    } else {
      const T value = ssim_value(moments, constants);
      if (args.map) args.map[index] = value;
      sum += value;
    }
  }
  const T tile_sum = sum_block(sum, memory.warp_sums);
  if (args.tile_sums && threadIdx.x == 0) args.tile_sums[blockIdx.x] = tile_sum;
}

template <class T, class Window>
struct GradMemory {
  T coefficients[3][kHaloRows<Window>][kHaloCols<Window>];
  T sums_down[3][kTileRows][kHaloCols<Window>];
};

// Coefficients of the windows that reach into the tile; 0 for those outside the map.
template <class T, class Window>
__device__ void load_coefficients(const Ssim<T>& args, const Tile& tile,
                                  GradMemory<T, Window>& memory) {
  constexpr int kCols = kHaloCols<Window>, kReach = Window::kSize - 1;
  const int64_t map_rows = args.map_rows(), map_cols = args.map_cols();
  const int64_t map_size = args.images * map_rows * map_cols;
  for (int i = threadIdx.x; i < kHaloRows<Window> * kCols; i += kThreads) {
    const int64_t row = tile.row + i / kCols - kReach, col = tile.col + i % kCols - kReach;
    const bool is_inside = row >= 0 && row < map_rows && col >= 0 && col < map_cols;
    const int64_t index = (tile.image * map_rows + row) * map_cols + col;
    for (int map = 0; map < 3; ++map)
      memory.coefficients[map][i / kCols][i % kCols] =
          is_inside ? args.coefficients[map * map_size + index] : T(0);
  }
}

// The gradient: the coefficients of every window that holds a pixel, weighted as in the window.
template <class T, class Window>
__global__ void __launch_bounds__(kThreads) grad_kernel(Ssim<T> args) {
  constexpr int kCols = kHaloCols<Window>;
  auto& memory = shared_memory<GradMemory<T, Window>>();
  const Tile tile(args);
  load_coefficients(args, tile, memory);
  __syncthreads();
  for (int i = threadIdx.x; i < 3 * kTileRows * kCols; i += kThreads) {
    const int map = i / (kTileRows * kCols), row = i / kCols % kTileRows, col = i % kCols;
    memory.sums_down[map][row][col] =
        weighted_sum<Window, T>([&](int k) { return memory.coefficients[map][row + k][col]; });
  }
  __syncthreads();

  const T origin = origin_of(args, tile.image);
  const int col = threadIdx.x % 32;
  for (int row = threadIdx.x / 32; row < kTileRows; row += kWarps) {
    if (tile.row + row >= args.rows || tile.col + col >= args.cols) continue;
    const auto across = [&](int map) {
      return weighted_sum<Window, T>([&](int k) { return memory.sums_down[map][row][col + k]; });
    };
    const int64_t index = (tile.image * args.rows + tile.row + row) * args.cols + tile.col + col;
    const T x = args.prediction[index], y = args.target[index];
    args.grad[index] = across(0) + ((x - origin) + (y - origin)) * across(1) + (x - y) * across(2);
  }
}

// One block owns one image.
template <class T>
__global__ void __launch_bounds__(kThreads) mean_kernel(SsimMean<T> args) {
  struct Memory {
    T warp_sums[kWarps];
  };
  const T* tile_sums = args.tile_sums + blockIdx.x * args.n_tiles;
  T sum = 0;
  for (int64_t i = threadIdx.x; i < args.n_tiles; i += kThreads) sum += tile_sums[i];
  sum = sum_block(sum, shared_memory<Memory>().warp_sums);
  if (threadIdx.x == 0) args.mean[blockIdx.x] = sum / T(args.n_windows);
}

template <class Window, class T>
void launch_window(const Ssim<T>& args, Stream stream) {
  const dim3 grid(static_cast<unsigned>(args.n_items() * args.col_tiles())), block(kThreads);
  launch_kernel<compare_kernel<T, Window>>(grid, block, 0, stream, args);
  if (args.grad) launch_kernel<grad_kernel<T, Window>>(grid, block, 0, stream, args);
}

template <class T>
void launch_ssim(const Ssim<T>& args, Stream stream) {
  args.window_size == UniformWindow::kSize ? launch_window<UniformWindow>(args, stream)
                                           : launch_window<GaussianWindow>(args, stream);
}

template <class T>
void launch_mean(const SsimMean<T>& args, Stream stream) {
  launch_kernel<mean_kernel<T>>(dim3(static_cast<unsigned>(args.images)), dim3(kThreads), 0, stream,
                                args);
}

const RegisterCuda<Ssim<float>> register_float(launch_ssim<float>);
const RegisterCuda<Ssim<double>> register_double(launch_ssim<double>);
const RegisterCuda<SsimMean<float>> register_mean_float(launch_mean<float>);
const RegisterCuda<SsimMean<double>> register_mean_double(launch_mean<double>);

}  // namespace
}  // namespace mrirecon
