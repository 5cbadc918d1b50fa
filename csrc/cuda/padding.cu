// A block owns a line, and its threads stride along the columns. Bytes that must move, for complex
// numbers of C bytes, I images of P pixels on G grid points: padding C I (P + G), cropping 2 C I P,
// and C P for each coil map; with maps one image is read, or written, for all coils.
#include "../coils.h"
#include "../padding.h"
#include "../portable.h"

namespace mrirecon {
namespace {

constexpr int kThreads = 128;  // lines have about 128 to 640 points

// The line that a block owns, of `planes` x `rows` lines of each image. 32 bits hold the number of
// a block, and divide faster than 64.
struct Line {
  int64_t image, plane, row;

  __device__ Line(int64_t planes, int64_t rows) {
    const unsigned n_planes = static_cast<unsigned>(planes), n_rows = static_cast<unsigned>(rows);
    row = blockIdx.x % n_rows;
    plane = blockIdx.x / n_rows % n_planes;
    image = blockIdx.x / n_rows / n_planes;
  }
};

template <class T>
__global__ void __launch_bounds__(kThreads) pad_image_kernel(PadImage<T> args) {
  const NufftPlan<T>& plan = args.plan;
  const int64_t *shape = plan.shape, *grid = plan.grid;
  const Line line(grid[0], grid[1]);
  const int64_t plane = pixel_at(line.plane, shape[0], grid[0]);
  const int64_t row = pixel_at(line.row, shape[1], grid[1]);
  const int64_t b = line.image / args.coils, c = line.image % args.coils;
  const int64_t image = args.coil_maps ? b : line.image;
  const int64_t map = args.maps_are_shared ? c : line.image;
  const int64_t first = (plane * shape[1] + row) * shape[2];
  const bool is_padding = plane >= shape[0] || row >= shape[1];
  for (int64_t point = threadIdx.x; point < grid[2]; point += kThreads) {
    const int64_t col = pixel_at(point, shape[2], grid[2]);
    Complex<T> value{};
    if (!is_padding && col < shape[2]) {
      value = scaled(pixel_weight(plan, plane, row, col),
                     args.image[image * plan.n_pixels() + first + col]);
      if (args.coil_maps)
        value = product(value, args.coil_maps[map * plan.n_pixels() + first + col]);
    }
    args.grid[blockIdx.x * grid[2] + point] = value;
  }
}

// With maps, the coils are summed in order.
template <class T>
__global__ void __launch_bounds__(kThreads) crop_image_kernel(CropImage<T> args) {
  const NufftPlan<T>& plan = args.plan;
  const int64_t *shape = plan.shape, *grid = plan.grid;
  const Line line(shape[0], shape[1]);
  const int64_t plane = point_of(line.plane, shape[0], grid[0]);
  const int64_t row = point_of(line.row, shape[1], grid[1]);
  const int64_t first = (line.plane * shape[1] + line.row) * shape[2];
  const int64_t points = grid[0] * grid[1] * grid[2], n_summed = args.coil_maps ? args.coils : 1;
  const int64_t map = args.maps_are_shared ? 0 : line.image * args.coils;
  for (int64_t col = threadIdx.x; col < shape[2]; col += kThreads) {
    const Complex<T>* from = args.grid + line.image * n_summed * points +
                             (plane * grid[1] + row) * grid[2] + point_of(col, shape[2], grid[2]);
    Complex<T> sum{};
    if (args.coil_maps)
      for (int64_t c = 0; c < args.coils; ++c)
        sum = add_conjugate_product(sum, args.coil_maps[(map + c) * plan.n_pixels() + first + col],
                                    from[c * points]);
    else
      sum = *from;
    args.image[blockIdx.x * shape[2] + col] =
        scaled(pixel_weight(plan, line.plane, line.row, col), sum);
  }
}

template <class T>
void launch_pad(const PadImage<T>& args, Stream stream) {
  const dim3 lines(static_cast<unsigned>(args.n_items()));
  launch_kernel<pad_image_kernel<T>>(lines, dim3(kThreads), 0, stream, args);
}

template <class T>
void launch_crop(const CropImage<T>& args, Stream stream) {
  const dim3 lines(static_cast<unsigned>(args.n_items()));
  launch_kernel<crop_image_kernel<T>>(lines, dim3(kThreads), 0, stream, args);
}

const RegisterCuda<PadImage<float>> pad_float(launch_pad<float>);
const RegisterCuda<PadImage<double>> pad_double(launch_pad<double>);
const RegisterCuda<CropImage<float>> crop_float(launch_crop<float>);
const RegisterCuda<CropImage<double>> crop_double(launch_crop<double>);

}  // namespace
}  // namespace mrirecon
