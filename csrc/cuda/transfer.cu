// Bytes that must move, for complex numbers of C bytes, I images of G points on N sets of weights:
// 2 C I G + C N G / 2. Two flops a point and image.
#include "../transfer.h"
#include "image_chunk.h"

namespace mrirecon {
namespace {

constexpr int kLanes = 32;
constexpr int kThreads = kLanes * kTransferRows;

// Images that share a block's weights: enough that reading these costs little, and few enough that
// a small batch fills a GPU.
constexpr int kImages = 8;
constexpr int kTogether = 4;  // images read before the first is written, so that reads overlap

// Neighbours along a row, moved by one access.
template <class T>
struct alignas(16) Points {
  static constexpr int kCount = 16 / sizeof(Complex<T>);
  Complex<T> point[kCount];
};

template <class T>
constexpr int kTileCols = kLanes * Points<T>::kCount;

// The weights of a tile, row by row. Between rows stand 16 bytes, so that the lanes that read
// eight rows of a column from memory write to different banks.
template <class T>
struct TileWeights {
  T value[kTransferRows][kTileCols<T> + 16 / sizeof(T)];
};

// Read the weights of the columns from `first_col` on, in the order in which they lie in memory.
template <class T>
__device__ void load_weights(const T* band, int64_t first_col, int64_t cols,
                             TileWeights<T>& weights) {
  for (int i = threadIdx.x; i < kTransferRows * kTileCols<T>; i += kThreads) {
    const int row = i % kTransferRows, col = i / kTransferRows;
    if (first_col + col < cols) weights.value[row][col] = band[first_col * kTransferRows + i];
  }
}

// Multiply `n` images, `stride` accesses apart, all read before the first is written.
template <int n, class T>
__device__ void multiply(Points<T>* at, int64_t stride, const T (&weights)[Points<T>::kCount]) {
  Points<T> values[n];
  for (int i = 0; i < n; ++i) values[i] = at[i * stride];
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < Points<T>::kCount; ++j)
      values[i].point[j] = scaled(weights[j], values[i].point[j]);
    at[i * stride] = values[i];
  }
}

// A block owns eight rows of a plane by 32 accesses along them, for a chunk of images; a warp owns
// a row, and a lane an access of 16 bytes.
template <class T>
__global__ void __launch_bounds__(kThreads) apply_transfer_kernel(ApplyTransfer<T> args) {
  constexpr int kCount = Points<T>::kCount;
  const unsigned n_tiles = static_cast<unsigned>((args.cols + kTileCols<T> - 1) / kTileCols<T>);
  const unsigned n_bands = static_cast<unsigned>(args.n_bands());
  const ImageChunk chunk(args.extent, args.depth * n_bands * n_tiles, kImages);
  const unsigned part = static_cast<unsigned>(chunk.part);
  const int64_t band = part / n_tiles;  // of all planes
  const int64_t first_col = part % n_tiles * kTileCols<T>;
  auto& weights = shared_memory<TileWeights<T>>();
  load_weights(
      args.transfer + (chunk.group * args.depth * n_bands + band) * args.cols * kTransferRows,
      first_col, args.cols, weights);
  __syncthreads();
  const int in_band = threadIdx.x / kLanes, in_tile = threadIdx.x % kLanes * kCount;
  const int64_t row = band % n_bands * kTransferRows + in_band, col = first_col + in_tile;
  if (row >= args.rows || col >= args.cols) return;
  T own[kCount];
  for (int j = 0; j < kCount; ++j) own[j] = weights.value[in_band][in_tile + j];
  const int64_t image = chunk.group * args.extent.group_size + chunk.first;
  const int64_t point = (band / n_bands * args.rows + row) * args.cols + col;
  const int64_t stride = args.n_points() / kCount;  // of an image, in accesses
  auto* at = reinterpret_cast<Points<T>*>(args.points + image * args.n_points() + point);
  int i = 0;
  for (; i + kTogether <= chunk.count; i += kTogether)
    multiply<kTogether>(at + i * stride, stride, own);
  for (; i < chunk.count; ++i) multiply<1>(at + i * stride, stride, own);
}

template <class T>
void launch_transfer(const ApplyTransfer<T>& args, Stream stream) {
  const int64_t n_tiles = (args.cols + kTileCols<T> - 1) / kTileCols<T>;
  const int64_t n_parts = args.depth * args.n_bands() * n_tiles;
  launch_kernel<apply_transfer_kernel<T>>(blocks_of(args.extent, n_parts, kImages), dim3(kThreads),
                                          0, stream, args);
}

const RegisterCuda<ApplyTransfer<float>> transfer_float(launch_transfer<float>);
const RegisterCuda<ApplyTransfer<double>> transfer_double(launch_transfer<double>);

}  // namespace
}  // namespace mrirecon
