// Bytes that must move, for complex numbers of C bytes and a share f of measured samples: (2 + f) C
// a sample; for the gradients (3 + 2 f) C, and 8 a row.
#include "../consistency.h"
#include "../portable.h"

namespace mrirecon {
namespace {

// A row of 128 to 640 samples keeps four warps busy for one to five rounds.
constexpr int kThreads = 128;

// One block owns one row of (batch, coils, rows); its threads stride along cols, so that accesses
// are coalesced and the row's position is computed once. `measured` is read only where the mask is
// set, and `prediction` only where it matters.
template <class T>
__global__ void __launch_bounds__(kThreads) enforce_consistency_kernel(EnforceConsistency<T> args) {
  const int64_t cols = args.extent.cols, row = blockIdx.x;
  const bool* mask = args.mask.row(args.extent, row);
  const Shares<T> share = shares(args.noise_weight);
  for (int64_t c = threadIdx.x; c < cols; c += kThreads) {
    const int64_t index = row * cols + c;
    if (!mask[c * args.mask.col_stride])
      args.out[index] = args.prediction[index];
    else if (args.noise_weight)
      args.out[index] = blend(share, args.prediction[index], args.measured[index]);
    else
      args.out[index] = args.measured[index];
  }
}

template <class T>
struct WarpSums {
  T value[kThreads / 32];
};

// The sum of one value for each thread, in a fixed order, in thread 0.
template <class T>
__device__ T sum_over_block(T value) {
  for (int offset = 16; offset > 0; offset /= 2)
    value += __shfl_down_sync(0xffffffffu, value, offset);
  auto& sums = shared_memory<WarpSums<T>>();
  if (threadIdx.x % 32 == 0) sums.value[threadIdx.x / 32] = value;
  __syncthreads();
  T total = 0;
  for (const T sum : sums.value) total += sum;
  return total;
}

// One block owns one row, as above, and writes the row's sum for the gradient to the weight. A row
// is added in the precision of the data, as a tree of short sums; the rows are added in double.
template <class T>
__global__ void __launch_bounds__(kThreads)
    grad_enforce_consistency_kernel(GradEnforceConsistency<T> args) {
  const int64_t cols = args.extent.cols, row = blockIdx.x;
  const bool* mask = args.mask.row(args.extent, row);
  const Shares<T> share = shares(args.noise_weight);
  const Complex<T> zero{T(0), T(0)};
  T sum = 0;
  for (int64_t c = threadIdx.x; c < cols; c += kThreads) {
    const int64_t index = row * cols + c;
    const bool is_measured = mask[c * args.mask.col_stride];
    const Complex<T> grad_out = args.grad_out[index];
    const bool is_soft = args.noise_weight;
    if (args.grad_prediction)
      args.grad_prediction[index] = !is_measured ? grad_out
                                    : is_soft    ? scaled(share.prediction, grad_out)
                                                 : zero;
    if (args.grad_measured)
      args.grad_measured[index] = !is_measured ? zero
                                  : is_soft    ? scaled(share.measured, grad_out)
                                               : grad_out;
    if (args.row_sums && is_measured)
      sum += grad_along_measured(grad_out, args.prediction[index], args.measured[index]);
  }
  if (!args.row_sums) return;  // the same for every thread
  const T total = sum_over_block(sum);
  if (threadIdx.x == 0) args.row_sums[row] = total;
}

// One block owns everything; thread t adds rows t, t + kThreads, ...
template <class T>
__global__ void __launch_bounds__(kThreads) grad_noise_weight_kernel(GradNoiseWeight<T> args) {
  double sum = 0;
  for (int64_t row = threadIdx.x; row < args.n_rows; row += kThreads) sum += args.row_sums[row];
  const double total = sum_over_block(sum);
  if (threadIdx.x == 0) *args.grad = static_cast<T>(total * grad_share(*args.noise_weight));
}

template <class T>
void launch_enforce(const EnforceConsistency<T>& args, Stream stream) {
  launch_kernel<enforce_consistency_kernel<T>>(dim3(static_cast<unsigned>(args.n_items())),
                                               dim3(kThreads), 0, stream, args);
}

template <class T>
void launch_grad(const GradEnforceConsistency<T>& args, Stream stream) {
  launch_kernel<grad_enforce_consistency_kernel<T>>(dim3(static_cast<unsigned>(args.n_items())),
                                                    dim3(kThreads), 0, stream, args);
}

template <class T>
void launch_grad_weight(const GradNoiseWeight<T>& args, Stream stream) {
  launch_kernel<grad_noise_weight_kernel<T>>(dim3(1), dim3(kThreads), 0, stream, args);
}

const RegisterCuda<EnforceConsistency<float>> enforce_float(launch_enforce<float>);
const RegisterCuda<EnforceConsistency<double>> enforce_double(launch_enforce<double>);
const RegisterCuda<GradEnforceConsistency<float>> grad_float(launch_grad<float>);
const RegisterCuda<GradEnforceConsistency<double>> grad_double(launch_grad<double>);
const RegisterCuda<GradNoiseWeight<float>> grad_weight_float(launch_grad_weight<float>);
const RegisterCuda<GradNoiseWeight<double>> grad_weight_double(launch_grad_weight<double>);

}  // namespace
}  // namespace mrirecon
