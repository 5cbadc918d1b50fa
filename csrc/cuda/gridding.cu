// Bytes that must move, for complex numbers of C bytes, I images on G grid points, M samples,
// kernels of W points (width to the power of the axes), plans of Q bytes a sample (4 + 8 axes in
// float):
//   interpolate   C I (G + M) + Q M from memory; C I M W from the caches, where neighbours along a
//                 readout find each other's grid points
//   spread        C I (3 M + G) + 2 Q M; the samples about twice more from the caches, since a tile
//                 reads those of the bins below too
// Both do 4 W flops a sample and image. Tiles with many samples end last: of a radial trajectory
// those at the centre, which lies at the corners of the grid, so that four tiles share it.
#include "../gridding.h"
#include "image_chunk.h"

namespace mrirecon {
namespace {

constexpr int kThreads = 256;
constexpr unsigned kAllLanes = 0xffffffffu;

// Blocks in a multiprocessor at least: half of its warps, or a quarter with doubles. Said, since
// else the compiler spills a few registers of interpolation to make more fit.
template <class T>
constexpr int kBlocks = sizeof(T) == 4 ? 4 : 2;

template <class T>
__device__ Complex<T> add_weighted(Complex<T> sum, T weight, Complex<T> value) {
  return {sum.re + weight * value.re, sum.im + weight * value.im};
}

// Four images share a sample's weights; for eight, a float kernel takes 64 registers instead of 48
// (sm_80).
constexpr int kImages = 4;

// A team of lanes owns one sample of a chunk of images: lane j evaluates tap j of each axis and
// reads column j of the grid around the sample. Samples are taken in the caller's order, in which
// those of a readout are neighbours: they read the same lines, and results are written side by
// side.
template <class T, int team>
__global__ void __launch_bounds__(kThreads, kBlocks<T>) interpolate_kernel(Interpolate<T> args) {
  constexpr int kTeams = kThreads / team;
  const int64_t n_samples = args.plan.n_samples, n_blocks = (n_samples + kTeams - 1) / kTeams;
  const ImageChunk chunk(args.extent, n_blocks, kImages);
  const NufftPlan<T> plan = args.plan.of(chunk.group);
  const int64_t sample = chunk.part * kTeams + threadIdx.x / team;
  const int lane = threadIdx.x % team;
  // Every lane takes part in the shuffles, also one that has no sample.
  const int64_t place = plan.positions[sample < n_samples ? sample : n_samples - 1];
  const T plane_weight = weight_of(plan, place, 0, lane);
  const T row_weight = weight_of(plan, place, 1, lane);
  const T col_weight = weight_of(plan, place, 2, lane);
  const int64_t points = plan.grid[0] * plan.grid[1] * plan.grid[2];
  const int64_t first_image = chunk.group * args.extent.group_size + chunk.first;
  const int rows = n_points(plan, 1), cols = n_points(plan, 2);
  const int first_plane = first_tap(plan, place, 0), first_row = first_tap(plan, place, 1);
  const Complex<T>* col =
      args.grid + first_image * points + wrapped(first_tap(plan, place, 2) + lane, cols);
  Complex<T> sums[kImages] = {};
  for (int i = 0; i < n_taps(plan, 0); ++i)
    for (int j = 0; j < n_taps(plan, 1); ++j) {
      const T weight = __shfl_sync(kAllLanes, plane_weight, i, team) *
                       __shfl_sync(kAllLanes, row_weight, j, team);
      const int64_t plane = wrapped(first_plane + i, n_points(plan, 0));
      const Complex<T>* line = col + (plane * rows + wrapped(first_row + j, rows)) * cols;
      for (int k = 0; k < kImages; ++k)
        if (lane < n_taps(plan, 2) && k < chunk.count)
          sums[k] = add_weighted(sums[k], weight, line[k * points]);
    }
  for (int k = 0; k < kImages; ++k) {
    Complex<T> sum{col_weight * sums[k].re, col_weight * sums[k].im};
    for (int offset = team / 2; offset > 0; offset /= 2) {
      sum.re += __shfl_xor_sync(kAllLanes, sum.re, offset, team);
      sum.im += __shfl_xor_sync(kAllLanes, sum.im, offset, team);
    }
    if (lane == k && k < chunk.count && sample < n_samples)
      args.kspace[(first_image + k) * n_samples + sample] = sum;
  }
}

// --- samples to the grid

constexpr int kSortImages = 8;  // of complex64, 64 bytes that stand together once sorted

// A thread owns one sample of a chunk of images.
template <class T>
__global__ void __launch_bounds__(kThreads) sort_samples_kernel(Spread<T> args) {
  const int64_t n_samples = args.plan.n_samples;
  const ImageChunk chunk(args.extent, (n_samples + kThreads - 1) / kThreads, kSortImages);
  const int64_t sample = chunk.part * kThreads + threadIdx.x;
  if (sample >= n_samples) return;
  const int64_t size = args.extent.group_size, first_image = chunk.group * size + chunk.first;
  const int64_t place = chunk.group * n_samples + args.plan.of(chunk.group).positions[sample];
  for (int64_t i = 0; i < chunk.count; ++i)
    args.sorted[place * size + chunk.first + i] =
        args.kspace[(first_image + i) * n_samples + sample];
}

constexpr int kSums = 8;     // in the registers of a thread: of images, or of planes and images
constexpr int kLoaded = 64;  // samples in shared memory, two for each lane of a warp to look at

// What a block owns: 16 x 16 points of one plane or of all planes of a slab, or 256 of a line. Each
// warp owns a part of it, 4 x 8 or 1 x 32 points of each plane, each lane one point of each plane.
struct Tile {
  int low[3], part_low[3];    // the first point of the tile, and of the warp's part
  int size[3], part_size[3];  // points along each axis, some maybe past the grid's end
  int row, col;               // the lane's

  template <class T>
  __device__ Tile(const NufftPlan<T>& plan, int64_t index, int planes) {
    const bool is_line = plan.n_axes == 1;
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const int sizes[3] = {planes, is_line ? 1 : kBandRows, is_line ? kThreads : kBinCols};
    const int part_sizes[3] = {planes, is_line ? 1 : 4, is_line ? 32 : 8};
    const int parts = sizes[2] / part_sizes[2];  // beside each other
    const int64_t n_cols = (plan.grid[2] + sizes[2] - 1) / sizes[2], n_rows = plan.n_bands();
    const int64_t at[3] = {index / n_cols / n_rows, index / n_cols % n_rows, index % n_cols};
    for (int axis = 0; axis < 3; ++axis) {
      size[axis] = sizes[axis];
      part_size[axis] = part_sizes[axis];
      low[axis] = part_low[axis] = static_cast<int>(at[axis]) * sizes[axis];
    }
    part_low[1] += warp / parts * part_size[1];
    part_low[2] += warp % parts * part_size[2];
    row = part_low[1] + lane / part_size[2];
    col = part_low[2] + lane % part_size[2];
  }
};

template <class T>
MRIRECON_HD int64_t n_tiles(const NufftPlan<T>& plan) {
  if (plan.n_axes == 1) return (plan.grid[2] + kThreads - 1) / kThreads;
  return plan.n_bins();
}

// Whether a sample whose taps begin at `first` reaches one of `size` points from `low` on.
template <class T>
__device__ bool reaches(const NufftPlan<T>& plan, const int (&first)[3], const int (&low)[3],
                        const int (&size)[3]) {
  bool is_near = true;
  for (int axis = 0; axis < 3; ++axis) {
    const int points = n_points(plan, axis);
    is_near = is_near && (distance(low[axis], first[axis], points) < size[axis] ||
                          distance(first[axis], low[axis], points) < n_taps(plan, axis));
  }
  return is_near;
}

template <class T, int team, int images>
struct LoadedSamples {
  Complex<T> values[kLoaded][images];
  T weights[kLoaded][3][team];
  int first[kLoaded][3];  // the grid points of the first taps
};

// Read the sorted samples [begin, begin + count), of which those that reach the tile matter. A team
// of lanes reads one, and lane j evaluates its taps j.
template <class T, int team, int images>
__device__ void load_samples(const NufftPlan<T>& plan, const Tile& tile, const Complex<T>* sorted,
                             int64_t group_size, int n_images, int begin, int count,
                             LoadedSamples<T, team, images>& loaded) {
  const int lane = threadIdx.x % team;
  for (int i = threadIdx.x / team; i < count; i += kThreads / team) {
    const int64_t place = begin + i;
    const int first[3] = {first_tap(plan, place, 0), first_tap(plan, place, 1),
                          first_tap(plan, place, 2)};
    if (lane < 3) loaded.first[i][lane] = first_tap(plan, place, lane);
    if (!reaches(plan, first, tile.low, tile.size)) continue;
    for (int axis = 0; axis < 3; ++axis)
      loaded.weights[i][axis][lane] = weight_of(plan, place, axis, lane);
    if (lane < n_images) loaded.values[i][lane] = sorted[place * group_size + lane];
  }
}

// Add the loaded samples to the points of the warp, in their order. Its lanes first look at 32
// samples at once, and then add those that reach any of them.
template <class T, int team, int planes, int images>
__device__ void add_samples(const NufftPlan<T>& plan, const Tile& tile,
                            const LoadedSamples<T, team, images>& loaded, int count, int n_images,
                            Complex<T> (&sums)[planes][images]) {
  const int lane = threadIdx.x % 32;
  for (int first_of_32 = 0; first_of_32 < count; first_of_32 += 32) {
    const int looked_at = first_of_32 + lane;
    unsigned hits = __ballot_sync(
        kAllLanes,
        looked_at < count && reaches(plan, loaded.first[looked_at], tile.part_low, tile.part_size));
    for (; hits; hits &= hits - 1) {
      const int sample = first_of_32 + __ffs(static_cast<int>(hits)) - 1;
      const int* first = loaded.first[sample];
      const int row = distance(first[1], tile.row, n_points(plan, 1));
      const int col = distance(first[2], tile.col, n_points(plan, 2));
      if (row >= n_taps(plan, 1) || col >= n_taps(plan, 2)) continue;
      const auto& weights = loaded.weights[sample];
      const T weight = weights[1][row] * weights[2][col];
      for (int p = 0; p < planes; ++p) {
        const int plane = distance(first[0], tile.low[0] + p, n_points(plan, 0));
        if (plane >= n_taps(plan, 0)) continue;
        for (int i = 0; i < images; ++i)
          if (i < n_images)
            sums[p][i] =
                add_weighted(sums[p][i], weight * weights[0][plane], loaded.values[sample][i]);
      }
    }
  }
}

// A block owns a tile of the grid for a chunk of images: it takes the samples of its bins and of
// those below, from which taps reach into it, in the order of the plan. So there are no atomics,
// and every run gives the same bits. The centre of a radial trajectory, which is dense, is shared
// by the tiles at the corners of the grid.
template <class T, int team, int planes>
__global__ void __launch_bounds__(kThreads, kBlocks<T>) spread_kernel(Spread<T> args) {
  constexpr int kChunk = kSums / planes;
  auto& loaded = shared_memory<LoadedSamples<T, team, kChunk>>();
  const ImageChunk chunk(args.extent, n_tiles(args.plan), kChunk);
  const NufftPlan<T> plan = args.plan.of(chunk.group);
  const int64_t* grid = plan.grid;
  const int64_t group_size = args.extent.group_size;
  const Complex<T>* sorted = args.sorted + chunk.group * plan.n_samples * group_size + chunk.first;
  const Tile tile(plan, chunk.part, planes);
  const NearBins slabs(tile.low[0], tile.size[0], kSlabPlanes, n_points(plan, 0), n_taps(plan, 0));
  const NearBins bands(tile.low[1], tile.size[1], kBandRows, n_points(plan, 1), n_taps(plan, 1));
  const NearBins cols(tile.low[2], tile.size[2], kBinCols, n_points(plan, 2), n_taps(plan, 2));
  Complex<T> sums[planes][kChunk] = {};
  for (int i = 0; i < slabs.count * bands.count; ++i)
    for (int part = 0; part < 2; ++part) {  // the bins of a band up to its end, and from its start
      const int band = slabs.at(i / bands.count) * bands.n_bins + bands.at(i % bands.count);
      const int32_t* bins = plan.bins + int64_t{band} * cols.n_bins;
      const int end = bins[cols.end(part == 1)];
      for (int begin = bins[cols.begin(part == 1)]; begin < end; begin += kLoaded) {
        const int count = end - begin < kLoaded ? end - begin : kLoaded;
        __syncthreads();  // every warp is done with the samples before
        load_samples(plan, tile, sorted, group_size, chunk.count, begin, count, loaded);
        __syncthreads();
        add_samples(plan, tile, loaded, count, chunk.count, sums);
      }
    }
  if (tile.row >= grid[1] || tile.col >= grid[2]) return;
  for (int p = 0; p < planes && tile.low[0] + p < grid[0]; ++p)
    for (int i = 0; i < kChunk; ++i) {
      const int64_t image = chunk.group * group_size + chunk.first + i;
      const int64_t line = (image * grid[0] + tile.low[0] + p) * grid[1] + tile.row;
      if (i < chunk.count) args.grid[line * grid[2] + tile.col] = sums[p][i];
    }
}

// --- launches

template <class T, int team>
void launch_interpolate_by(const Interpolate<T>& args, Stream stream) {
  const int64_t n_blocks = (args.plan.n_samples + kThreads / team - 1) / (kThreads / team);
  launch_kernel<interpolate_kernel<T, team>>(blocks_of(args.extent, n_blocks, kImages),
                                             dim3(kThreads), 0, stream, args);
}

template <class T>
void launch_interpolate(const Interpolate<T>& args, Stream stream) {
  const auto launch =
      args.plan.width <= 8 ? launch_interpolate_by<T, 8> : launch_interpolate_by<T, kMaxWidth>;
  launch(args, stream);
}

template <class T, int team, int planes>
void launch_spread_by(const Spread<T>& args, Stream stream) {
  launch_kernel<spread_kernel<T, team, planes>>(
      blocks_of(args.extent, n_tiles(args.plan), kSums / planes), dim3(kThreads), 0, stream, args);
}

template <class T>
void launch_spread(const Spread<T>& args, Stream stream) {
  const int64_t n_blocks = (args.plan.n_samples + kThreads - 1) / kThreads;
  if (n_blocks > 0)
    launch_kernel<sort_samples_kernel<T>>(blocks_of(args.extent, n_blocks, kSortImages),
                                          dim3(kThreads), 0, stream, args);
  const bool is_narrow = args.plan.width <= 8;
  if (args.plan.is_volume())
    (is_narrow ? launch_spread_by<T, 8, kSlabPlanes>
               : launch_spread_by<T, kMaxWidth, kSlabPlanes>)(args, stream);
  else
    (is_narrow ? launch_spread_by<T, 8, 1> : launch_spread_by<T, kMaxWidth, 1>)(args, stream);
}

const RegisterCuda<Interpolate<float>> interpolate_float(launch_interpolate<float>);
const RegisterCuda<Interpolate<double>> interpolate_double(launch_interpolate<double>);
const RegisterCuda<Spread<float>> spread_float(launch_spread<float>);
const RegisterCuda<Spread<double>> spread_double(launch_spread<double>);

}  // namespace
}  // namespace mrirecon
