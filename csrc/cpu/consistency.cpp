// A row is handled in chunks that stay in L1: arithmetic on whole chunks, then a choice by bits.
#include "../consistency.h"

#include <algorithm>

#include "items.h"

namespace mrirecon {
inline namespace MRIRECON_SIMD {

constexpr int64_t kChunk = 256;  // samples; five chunks of complex64 are 10 KiB

using Word = uint64_t __attribute__((may_alias));

// out = keep ? chosen : other, on 64-bit words, since g++ makes vector code of it, for complex64,
// and not of a choice between pairs. A NaN that is not chosen does not spread.
template <class T>
void choose(const uint8_t* __restrict__ keep, const Complex<T>* chosen, const Complex<T>* other,
            Complex<T>* out, int64_t n) {
  constexpr int64_t kWords = sizeof(Complex<T>) / sizeof(Word);
  const Word* a = reinterpret_cast<const Word*>(chosen);
  const Word* b = reinterpret_cast<const Word*>(other);
  Word* __restrict__ to = reinterpret_cast<Word*>(out);
  for (int64_t i = 0; i < n * kWords; ++i)
    to[i] = b[i] ^ ((a[i] ^ b[i]) & -uint64_t{keep[i / kWords]});
}

template <class T>
void blend(Shares<T> share, const Complex<T>* prediction, const Complex<T>* measured,
           Complex<T>* __restrict__ out, int64_t n) {
  for (int64_t i = 0; i < n; ++i) out[i] = blend(share, prediction[i], measured[i]);
}

template <class T>
void scale(T factor, const Complex<T>* values, Complex<T>* __restrict__ out, int64_t n) {
  for (int64_t i = 0; i < n; ++i) out[i] = scale(factor, values[i]);
}

// The mask of a chunk as bytes 0 or 1, in place or copied.
class Keep {
 public:
  Keep(const bool* row, int64_t stride) : row_(row), stride_(stride) {
    if (stride_ == 0) std::fill(copy_, copy_ + kChunk, static_cast<uint8_t>(*row_));
  }
  const uint8_t* at(int64_t begin, int64_t n) {
    if (stride_ == 0) return copy_;
    if (stride_ == 1) return reinterpret_cast<const uint8_t*>(row_ + begin);
    for (int64_t i = 0; i < n; ++i) copy_[i] = row_[(begin + i) * stride_];
    return copy_;
  }

 private:
  const bool* row_;
  int64_t stride_;
  uint8_t copy_[kChunk];
};

template <class T>
void rows(const EnforceConsistency<T>& args, int64_t begin, int64_t end) {
  const int64_t cols = args.extent.cols;
  const Shares<T> share = shares(args.noise_weight);
  Complex<T> blended[kChunk];
  for (int64_t r = begin; r < end; ++r) {
    Keep keep(args.mask.row(args.extent, r), args.mask.col_stride);
    for (int64_t c = 0; c < cols; c += kChunk) {
      const int64_t n = std::min(kChunk, cols - c), first = r * cols + c;
      const Complex<T>* prediction = args.prediction + first;
      const Complex<T>* measured = args.measured + first;
      if (args.noise_weight) blend(share, prediction, measured, blended, n);
      choose(keep.at(c, n), args.noise_weight ? blended : measured, prediction, args.out + first,
             n);
    }
  }
}

// Sum over the measured samples of a chunk, in eight lanes so that it is vector code.
template <class T>
void add_along_measured(const GradEnforceConsistency<T>& args, int64_t first, const uint8_t* keep,
                        int64_t n, double (&lanes)[8]) {
  const auto value = [&](int64_t i) {
    const T along = grad_along_measured(args.grad_out[first + i], args.prediction[first + i],
                                        args.measured[first + i]);
    return keep[i] ? static_cast<double>(along) : 0.0;
  };
  int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (int64_t lane = 0; lane < 8; ++lane) lanes[lane] += value(i + lane);
  for (; i < n; ++i) lanes[0] += value(i);
}

template <class T>
void rows(const GradEnforceConsistency<T>& args, int64_t begin, int64_t end) {
  static constexpr Complex<T> kZeros[kChunk] = {};
  const int64_t cols = args.extent.cols;
  const Shares<T> share = shares(args.noise_weight);
  Complex<T> scaled[kChunk];
  for (int64_t r = begin; r < end; ++r) {
    Keep mask(args.mask.row(args.extent, r), args.mask.col_stride);
    double lanes[8] = {};
    for (int64_t c = 0; c < cols; c += kChunk) {
      const int64_t n = std::min(kChunk, cols - c), first = r * cols + c;
      const uint8_t* keep = mask.at(c, n);
      const Complex<T>* grad_out = args.grad_out + first;
      if (args.grad_prediction) {
        if (args.noise_weight) scale(share.prediction, grad_out, scaled, n);
        choose(keep, args.noise_weight ? scaled : kZeros, grad_out, args.grad_prediction + first,
               n);
      }
      if (args.grad_measured) {
        if (args.noise_weight) scale(share.measured, grad_out, scaled, n);
        choose(keep, args.noise_weight ? scaled : grad_out, kZeros, args.grad_measured + first, n);
      }
      if (args.row_sums) add_along_measured(args, first, keep, n, lanes);
    }
    if (args.row_sums)
      args.row_sums[r] = ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) +
                         ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
  }
}

template <class T>
void rows(const GradNoiseWeight<T>& args, int64_t, int64_t) {
  double sum = 0;
  for (int64_t r = 0; r < args.n_rows; ++r) sum += args.row_sums[r];
  *args.grad = static_cast<T>(sum * grad_share(*args.noise_weight));
}

}  // namespace MRIRECON_SIMD

template void run_items<kSimd>(const EnforceConsistency<float>&, int64_t, int64_t);
template void run_items<kSimd>(const EnforceConsistency<double>&, int64_t, int64_t);
template void run_items<kSimd>(const GradEnforceConsistency<float>&, int64_t, int64_t);
template void run_items<kSimd>(const GradEnforceConsistency<double>&, int64_t, int64_t);
template void run_items<kSimd>(const GradNoiseWeight<float>&, int64_t, int64_t);
template void run_items<kSimd>(const GradNoiseWeight<double>&, int64_t, int64_t);

}  // namespace mrirecon
