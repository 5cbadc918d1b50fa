// Bytes that must move, for complex numbers of C bytes: 2 C a sample; with noise too.
#include "../masking.h"
#include "../portable.h"

namespace mrirecon {
namespace {

// A row of 128 to 640 samples keeps four warps busy for one to five rounds.
constexpr int kThreads = 128;

// One block owns one row of (batch, coils, rows); its threads stride along cols, so that accesses
// are coalesced and the row's position is computed once.
template <class T, bool has_noise>
__global__ void __launch_bounds__(kThreads) apply_mask_kernel(ApplyMask<T> args) {
  const int64_t cols = args.extent.cols, row = blockIdx.x;
  const bool* mask = args.mask.row(args.extent, row);
  const RowNoise<T> noise = has_noise ? noise_of_row(args, row) : RowNoise<T>{};
  for (int64_t c = threadIdx.x; c < cols; c += kThreads) {
    const int64_t index = row * cols + c;
    const bool is_measured = mask[c * args.mask.col_stride];
    if (has_noise)
      args.out[index] = masked_with_noise(args.kspace[index], is_measured, noise, c);
    else
      args.out[index] = masked(args.kspace[index], is_measured);
  }
}

template <class T>
void launch_apply_mask(const ApplyMask<T>& args, Stream stream) {
  const dim3 grid(static_cast<unsigned>(args.n_items())), block(kThreads);
  args.seeds ? launch_kernel<apply_mask_kernel<T, true>>(grid, block, 0, stream, args)
             : launch_kernel<apply_mask_kernel<T, false>>(grid, block, 0, stream, args);
}

const RegisterCuda<ApplyMask<float>> register_float(launch_apply_mask<float>);
const RegisterCuda<ApplyMask<double>> register_double(launch_apply_mask<double>);

}  // namespace
}  // namespace mrirecon
