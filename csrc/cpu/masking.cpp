#include "../masking.h"

#include "items.h"

namespace mrirecon {
inline namespace MRIRECON_SIMD {

using Word = uint64_t __attribute__((may_alias));

// `masked` on 64-bit words: a bitwise "and" with all ones or zeros. g++ makes vector code of it,
// for complex64, and not of pairs of conditional moves (measured: half the time for a 2-D mask).
template <class T>
void mask_row(const Complex<T>* kspace, const bool* mask, Complex<T>* out, int64_t cols) {
  constexpr int64_t kWords = sizeof(Complex<T>) / sizeof(Word);
  const Word* __restrict__ from = reinterpret_cast<const Word*>(kspace);
  const uint8_t* __restrict__ keep = reinterpret_cast<const uint8_t*>(mask);  // 0 or 1
  Word* __restrict__ to = reinterpret_cast<Word*>(out);
  for (int64_t i = 0; i < cols * kWords; ++i) to[i] = from[i] & -uint64_t{keep[i / kWords]};
}

constexpr int kBlock = 64, kVector = 16;  // samples drawn together, and a multiple that fills packs

// The noise of measured samples alone, listed and then drawn many at a time: the loop that draws
// has no branch, so that it becomes vector code.
template <class T>
void mask_row_with_noise(const Complex<T>* kspace, const bool* mask, int64_t stride,
                         const RowNoise<T>& noise, Complex<T>* out, int64_t cols) {
  for (int64_t c = 0; c < cols; ++c) out[c] = {T(0), T(0)};
  for (int64_t c = 0; c < cols;) {
    int64_t measured[kBlock];
    int count = 0;
    for (; c < cols && count < kBlock; ++c) {
      measured[count] = c;
      count += mask[c * stride];
    }
    T re[kBlock], im[kBlock];
    const int drawn = (count + kVector - 1) / kVector * kVector;
    for (int i = count; i < drawn; ++i) measured[i] = 0;
    for (int i = 0; i < drawn; ++i) {
      const Complex<T> normal =
          complex_normal<T>(noise.seed, noise.first + static_cast<uint64_t>(measured[i]));
      re[i] = noise.std * normal.re;
      im[i] = noise.std * normal.im;
    }
    for (int i = 0; i < count; ++i) {
      const Complex<T> value = kspace[measured[i]];
      out[measured[i]] = {value.re + re[i], value.im + im[i]};
    }
  }
}

template <class T>
void rows(const ApplyMask<T>& args, int64_t begin, int64_t end) {
  const int64_t cols = args.extent.cols;
  for (int64_t r = begin; r < end; ++r) {
    const bool* mask = args.mask.row(args.extent, r);
    const Complex<T>* kspace = args.kspace + r * cols;
    Complex<T>* out = args.out + r * cols;
    const int64_t stride = args.mask.col_stride;
    if (args.seeds) {
      mask_row_with_noise(kspace, mask, stride, noise_of_row(args, r), out, cols);
    } else if (stride == 1) {
      mask_row(kspace, mask, out, cols);
    } else {
      for (int64_t c = 0; c < cols; ++c) out[c] = masked(kspace[c], *mask);
    }
  }
}

}  // namespace MRIRECON_SIMD

template void run_items<kSimd>(const ApplyMask<float>&, int64_t, int64_t);
template void run_items<kSimd>(const ApplyMask<double>&, int64_t, int64_t);

}  // namespace mrirecon
