// Bytes that must move, for complex numbers of C bytes, B images of P pixels, K coils and shared
// maps: C P (B + K + B K), for each kernel; 6 to 8 flops a pixel and coil.
#include "../coils.h"
#include "../portable.h"

namespace mrirecon {
namespace {

// Four warps: small blocks spread a single image over more multiprocessors.
constexpr int kThreads = 128;

// Coils that a thread reads before it writes, so that enough bytes are on their way: of complex64,
// 2048 threads of 4 accesses are 64 kB in a multiprocessor. Two pixels a thread would halve the
// number of accesses, but nvcc splits the store of a pair (seen in 13.0), and an odd number of
// pixels would need a second kernel.
constexpr int kTogether = 4;

// What a thread owns: one pixel of a group, for one of `n_parts`, which are its members or its
// coils. Blocks of the same pixels stand side by side, so that what the parts share comes from
// memory once and from the level 2 cache after that.
struct Place {
  int64_t group, part, pixel;

  __device__ Place(const CoilExtent& extent, int64_t n_parts) {
    const int64_t block = blockIdx.x, n_tiles = (extent.pixels + kThreads - 1) / kThreads;
    group = block / n_parts / n_tiles;
    part = block % n_parts;
    pixel = block / n_parts % n_tiles * kThreads + threadIdx.x;
  }
};

dim3 grid_of(const CoilExtent& extent, int64_t n_parts) {
  const int64_t n_tiles = (extent.pixels + kThreads - 1) / kThreads;
  return dim3(static_cast<unsigned>(extent.n_groups * n_tiles * n_parts));
}

// out[i] = a[i] b for i = 0, stride, ..., all read before the first is written
template <int n, class T>
__device__ void multiply(const Complex<T>* a, Complex<T> b, Complex<T>* out, int64_t stride) {
  Complex<T> values[n];
  for (int i = 0; i < n; ++i) values[i] = a[i * stride];
  for (int i = 0; i < n; ++i) out[i * stride] = product(values[i], b);
}

// The members of a group are the parts; a thread reads its image once and writes every coil.
template <class T>
__global__ void __launch_bounds__(kThreads) expand_coils_kernel(ExpandCoils<T> args) {
  const int64_t coils = args.extent.coils, pixels = args.extent.pixels;
  const Place place(args.extent, args.extent.group_size);
  if (place.pixel >= pixels) return;
  const int64_t b = place.group * args.extent.group_size + place.part;
  const Complex<T>* coil_map = args.coil_maps + place.group * coils * pixels + place.pixel;
  Complex<T>* out = args.out + b * coils * pixels + place.pixel;
  const Complex<T> image = args.image[b * pixels + place.pixel];
  int64_t c = 0;
  for (; c + kTogether <= coils; c += kTogether)
    multiply<kTogether>(coil_map + c * pixels, image, out + c * pixels, pixels);
  for (; c < coils; ++c) multiply<1>(coil_map + c * pixels, image, out + c * pixels, pixels);
}

// The members of a group are the parts; a thread reads every coil and writes its image once.
template <class T>
__global__ void __launch_bounds__(kThreads) combine_coils_kernel(CombineCoils<T> args) {
  const int64_t coils = args.extent.coils, pixels = args.extent.pixels;
  const Place place(args.extent, args.extent.group_size);
  if (place.pixel >= pixels) return;
  const int64_t b = place.group * args.extent.group_size + place.part;
  const Complex<T>* coil_map = args.coil_maps + place.group * coils * pixels + place.pixel;
  const Complex<T>* coil_images = args.coil_images + b * coils * pixels + place.pixel;
  Complex<T> sum{};
  for (int64_t c = 0; c < coils; ++c)
    sum = add_conjugate_product(sum, coil_map[c * pixels], coil_images[c * pixels]);
  args.out[b * pixels + place.pixel] = sum;
}

// The coils are the parts; a thread reads every member of the group and writes its map once.
template <class T>
__global__ void __launch_bounds__(kThreads) grad_coil_maps_kernel(GradCoilMaps<T> args) {
  const int64_t coils = args.extent.coils, pixels = args.extent.pixels;
  const Place place(args.extent, coils);
  if (place.pixel >= pixels) return;
  const int64_t first = place.group * args.extent.group_size;  // of the batch
  const Complex<T>* image = args.image + first * pixels + place.pixel;
  const Complex<T>* coil_images =
      args.coil_images + (first * coils + place.part) * pixels + place.pixel;
  Complex<T> sum{};
  for (int64_t member = 0; member < args.extent.group_size; ++member)
    sum = add_conjugate_product(sum, image[member * pixels], coil_images[member * coils * pixels]);
  args.out[(place.group * coils + place.part) * pixels + place.pixel] = sum;
}

template <class T>
void launch_expand(const ExpandCoils<T>& args, Stream stream) {
  const dim3 grid = grid_of(args.extent, args.extent.group_size);
  if (grid.x) launch_kernel<expand_coils_kernel<T>>(grid, dim3(kThreads), 0, stream, args);
}

template <class T>
void launch_combine(const CombineCoils<T>& args, Stream stream) {
  const dim3 grid = grid_of(args.extent, args.extent.group_size);
  if (grid.x) launch_kernel<combine_coils_kernel<T>>(grid, dim3(kThreads), 0, stream, args);
}

template <class T>
void launch_grad(const GradCoilMaps<T>& args, Stream stream) {
  const dim3 grid = grid_of(args.extent, args.extent.coils);
  if (grid.x) launch_kernel<grad_coil_maps_kernel<T>>(grid, dim3(kThreads), 0, stream, args);
}

const RegisterCuda<ExpandCoils<float>> expand_float(launch_expand<float>);
const RegisterCuda<ExpandCoils<double>> expand_double(launch_expand<double>);
const RegisterCuda<CombineCoils<float>> combine_float(launch_combine<float>);
const RegisterCuda<CombineCoils<double>> combine_double(launch_combine<double>);
const RegisterCuda<GradCoilMaps<float>> grad_float(launch_grad<float>);
const RegisterCuda<GradCoilMaps<double>> grad_double(launch_grad<double>);

}  // namespace
}  // namespace mrirecon
