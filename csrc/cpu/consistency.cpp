#include "../consistency.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "items.h"

namespace mrirecon {
inline namespace MRIRECON_SIMD {

// A register of the instruction set, as words for choices and as numbers for arithmetic; complex64
// is one word, complex128 two.
constexpr int kWords = kSimd == Simd::avx512 ? 8 : kSimd == Simd::avx2 ? 4 : 2;
typedef uint64_t Words __attribute__((vector_size(8 * kWords)));
typedef float Floats __attribute__((vector_size(8 * kWords)));
typedef double Doubles __attribute__((vector_size(8 * kWords)));
template <class T>
using Reals = std::conditional_t<std::is_same_v<T, float>, Floats, Doubles>;

template <class T>
constexpr int64_t kSamples = sizeof(Words) / sizeof(Complex<T>);  // in a register

template <class T>
MRIRECON_HD Words load(const Complex<T>* source) {
  Words words;
  std::memcpy(&words, source, sizeof words);
  return words;
}

template <class T>
MRIRECON_HD void store(Words words, Complex<T>* target) {
  std::memcpy(target, &words, sizeof words);
}

// The mask along a row, whose stride is 1, or 0 if one value holds for the whole row.
struct RowMask {
  const bool* data;
  int64_t stride;

  MRIRECON_HD bool operator[](int64_t c) const { return data[c * stride]; }

  // All bits of a sample are set where it is measured.
  template <class T>
  MRIRECON_HD Words bits(int64_t c) const {
    Words bits;
    for (int64_t word = 0; word < kWords; ++word)
      bits[word] = -uint64_t{(*this)[c + word * kSamples<T> / kWords]};
    return bits;
  }
};

// By bits, since g++ makes no vector code of a choice between pairs; one register at a time, since
// loops that it unrolls further took 1.2 times as long on data larger than the caches. A NaN that
// is not chosen does not spread.
MRIRECON_HD Words choose(Words bits, Words chosen, Words other) {
  return other ^ ((chosen ^ other) & bits);
}

template <class T>
void enforce_row(const EnforceConsistency<T>& args, Shares<T> share, RowMask mask, int64_t first) {
  const Complex<T>* prediction = args.prediction + first;
  const Complex<T>* measured = args.measured + first;
  Complex<T>* out = args.out + first;
  const bool is_soft = args.noise_weight;
  int64_t c = 0;
  for (; c + kSamples<T> <= args.extent.cols; c += kSamples<T>) {
    const Words predicted = load(prediction + c);
    Words chosen = load(measured + c);
    if (is_soft)
      chosen = (Words)(share.prediction * (Reals<T>)predicted + share.measured * (Reals<T>)chosen);
    store(choose(mask.bits<T>(c), chosen, predicted), out + c);
  }
  for (; c < args.extent.cols; ++c)
    out[c] = !mask[c]  ? prediction[c]
             : is_soft ? blend(share, prediction[c], measured[c])
                       : measured[c];
}

template <class T>
void rows(const EnforceConsistency<T>& args, int64_t begin, int64_t end) {
  const Shares<T> share = shares(args.noise_weight);
  const int64_t cols = args.extent.cols;
  for (int64_t r = begin; r < end; ++r) {
    const RowMask mask{args.mask.row(args.extent, r), args.mask.col_stride};
    const bool is_one_operand = mask.stride == 0 && !(mask[0] && args.noise_weight);
    if (is_one_operand)  // the other one is not read
      std::copy_n((mask[0] ? args.measured : args.prediction) + r * cols, cols,
                  args.out + r * cols);
    else
      enforce_row(args, share, mask, r * cols);
  }
}

// The part of grad_out that goes to an operand: `set` where the mask is set, `not_set` elsewhere.
template <class T, class Set, class NotSet>
void grad_row(RowMask mask, const Complex<T>* grad_out, Complex<T>* grad, int64_t cols,
              const Set& set, const NotSet& not_set) {
  int64_t c = 0;
  for (; c + kSamples<T> <= cols; c += kSamples<T>) {
    const Words words = load(grad_out + c);
    store(choose(mask.bits<T>(c), set(words), not_set(words)), grad + c);
  }
  if (c == cols) return;
  Complex<T> rest[kSamples<T>] = {};
  bool keep[kSamples<T>] = {};
  for (int64_t i = 0; c + i < cols; ++i) {
    rest[i] = grad_out[c + i];
    keep[i] = mask[c + i];
  }
  const Words words = load(rest);
  store(choose(RowMask{keep, 1}.bits<T>(0), set(words), not_set(words)), rest);
  std::copy_n(rest, cols - c, grad + c);
}

// Sum over the measured samples of a row, in eight lanes so that it is vector code.
template <class T>
double sum_along_measured(const GradEnforceConsistency<T>& args, RowMask mask, int64_t first) {
  const auto value = [&](int64_t c) {
    const T along = grad_along_measured(args.grad_out[first + c], args.prediction[first + c],
                                        args.measured[first + c]);
    return mask[c] ? static_cast<double>(along) : 0.0;
  };
  double lanes[8] = {};
  int64_t c = 0;
  for (; c + 8 <= args.extent.cols; c += 8)
    for (int64_t lane = 0; lane < 8; ++lane) lanes[lane] += value(c + lane);
  for (; c < args.extent.cols; ++c) lanes[0] += value(c);
  return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) +
         ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

template <class T>
void rows(const GradEnforceConsistency<T>& args, int64_t begin, int64_t end) {
  const Shares<T> share = shares(args.noise_weight);
  const int64_t cols = args.extent.cols;
  const bool is_soft = args.noise_weight;
  const auto same = [](Words words) { return words; };
  const auto none = [](Words) { return Words{}; };
  const auto share_of = [is_soft](T factor) {  // 1 or 0 if hard, exactly, even of a NaN
    return [=](Words words) {
      if (is_soft) return (Words)(factor * (Reals<T>)words);
      return factor == T(0) ? Words{} : words;
    };
  };
  for (int64_t r = begin; r < end; ++r) {
    const RowMask mask{args.mask.row(args.extent, r), args.mask.col_stride};
    const Complex<T>* grad_out = args.grad_out + r * cols;
    if (args.grad_prediction)
      grad_row(mask, grad_out, args.grad_prediction + r * cols, cols, share_of(share.prediction),
               same);
    if (args.grad_measured)
      grad_row(mask, grad_out, args.grad_measured + r * cols, cols, share_of(share.measured), none);
    if (args.row_sums) args.row_sums[r] = sum_along_measured(args, mask, r * cols);
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
