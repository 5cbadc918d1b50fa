// Lanes as points of an image: `images` images or coils, and 8 / images rows of each of them. Lane
// row * images + image.
#pragma once

#include "lane_shuffle.h"

namespace mrirecon {
inline namespace MRIRECON_SIMD {

template <int images>
constexpr int kRows = kLanes / images;

template <class V, size_t... i>
MRIRECON_HD auto first_half(V x, std::index_sequence<i...>) {
  return __builtin_shufflevector(x, x, i...);
}
template <class V, size_t... i>
MRIRECON_HD auto second_half(V x, std::index_sequence<i...>) {
  return __builtin_shufflevector(x, x, (i + sizeof...(i))...);
}
template <int run, class V, size_t... i>
MRIRECON_HD auto repeat_each(V x, std::index_sequence<i...>) {  // run times
  return __builtin_shufflevector(x, x, (i / run)...);
}
template <int run, class V, size_t... i>
MRIRECON_HD auto repeat_all(V x, std::index_sequence<i...>) {  // of `run` numbers
  return __builtin_shufflevector(x, x, (i % run)...);
}

template <class V, size_t... i>
MRIRECON_HD V halves_of(V a, V b, std::index_sequence<i...>) {  // of a the first, of b the second
  constexpr size_t n = sizeof...(i);
  return __builtin_shufflevector(a, b, (i < n / 2 ? i : i + n)...);
}

template <class T, int n>
MRIRECON_HD typename RegisterOf<T, n>::type load_reals(const T* source) {
  typename RegisterOf<T, n>::type x;
  std::memcpy(&x, source, sizeof x);
  return x;
}

template <class V, size_t... i>
MRIRECON_HD auto interleave(V a, V b, std::index_sequence<i...>) {
  return __builtin_shufflevector(a, b, (i / 2 + i % 2 * (sizeof...(i) / 2))...);
}

// a + i b, of eight reals each.
template <class T>
MRIRECON_HD Lanes<T> join_reals(const T* a, const T* b) {
  constexpr int kReals = Lanes<T>::kReals, kHalf = kReals / 2;
  Lanes<T> x;
  Lanes<T>::each_part([&](size_t k) {
    x.part[k] = interleave(load_reals<T, kHalf>(a + k * kHalf), load_reals<T, kHalf>(b + k * kHalf),
                           std::make_index_sequence<kReals>{});
  });
  return x;
}

// The real (first 0) or imaginary (1) parts of a, and those of b as the imaginary parts.
template <int first, class T>
MRIRECON_HD Lanes<T> join_parts(const Lanes<T>& a, const Lanes<T>& b) {
  const std::make_index_sequence<Lanes<T>::kReals> all{};
  Lanes<T> x;
  Lanes<T>::each_part([&](size_t k) { x.part[k] = pair_up<1, first>(a.part[k], b.part[k], all); });
  return x;
}

// Element i is that of `a` where i / run is even, of `b` where it is odd.
template <int run, class V, size_t... i>
MRIRECON_HD V take_turns(V a, V b, std::index_sequence<i...>) {
  return __builtin_shufflevector(a, b, (i / run % 2 ? i + sizeof...(i) : i)...);
}

// A weight for each row, put into every lane of that row. (`x - Register{}` puts x into a register;
// `Register{} + x` would be an addition, for the sake of -0.) Of fewer than 32 bytes g++ would make
// the way to a wider register by the stack.
template <int images, class T>
MRIRECON_HD Lanes<T> spread_over_images(const T* weights) {
  constexpr int kReals = Lanes<T>::kReals, kRun = 2 * images, kRowsInPart = kReals / kRun;
  const std::make_index_sequence<kReals> all{};
  using Register = typename Lanes<T>::Register;
  Lanes<T> x;
  Lanes<T>::each_part([&](size_t k) {
    const T* rows = weights + k * kReals / kRun;
    if constexpr (kRowsInPart * sizeof(T) >= 32 || kRowsInPart == 8) {
      x.part[k] = repeat_each<kRun>(load_reals<T, kRowsInPart>(rows), all);
    } else if constexpr (kRowsInPart == 4) {
      const Register even = take_turns<2 * kRun>(rows[0] - Register{}, rows[2] - Register{}, all);
      const Register odd = take_turns<2 * kRun>(rows[1] - Register{}, rows[3] - Register{}, all);
      x.part[k] = take_turns<kRun>(even, odd, all);
    } else if constexpr (kRowsInPart == 2) {
      x.part[k] = take_turns<kRun>(rows[0] - Register{}, rows[1] - Register{}, all);
    } else {
      x.part[k] = *rows - Register{};
    }
  });
  return x;
}

// One number in the first eight of sixteen reals, another in the rest.
template <class T>
MRIRECON_HD Lanes<T> two_halves(T first, T second) {
  using Register = typename Lanes<T>::Register;
  const Register a = first - Register{}, b = second - Register{};
  Lanes<T> x;
  Lanes<T>::each_part([&](size_t k) {
    if constexpr (Lanes<T>::kParts == 1)
      x.part[k] = halves_of(a, b, std::make_index_sequence<Lanes<T>::kReals>{});
    else
      x.part[k] = 2 * k < Lanes<T>::kParts ? a : b;
  });
  return x;
}

// One number for each image, put into every row.
template <int images, class T>
MRIRECON_HD Lanes<T> spread_over_rows(const Complex<T>* values) {
  constexpr int kReals = Lanes<T>::kReals, kRun = 2 * images;
  const std::make_index_sequence<kReals> all{};
  const T* reals = &values->re;
  Lanes<T> x;
  Lanes<T>::each_part([&](size_t k) {
    if constexpr (images == 1)
      x.part[k] = repeat_pair(*values);
    else if constexpr (images == 2 && kReals > kRun)
      x.part[k] = take_turns<2>(repeat_pair(values[0]), repeat_pair(values[1]), all);
    else if constexpr (kReals > kRun)
      x.part[k] = repeat_all<kRun>(load_reals<T, kRun>(reals), all);
    else
      x.part[k] = load_reals<T, kReals>(reals + k * kReals % kRun);
  });
  return x;
}

template <int n, class T, class V>
MRIRECON_HD void store_sum_of_runs(V x, T* out) {  // out[i]: sum of x[i], x[i + n], ...
  constexpr size_t kReals = sizeof(V) / sizeof(T);
  if constexpr (kReals == n) {
    std::memcpy(out, &x, sizeof x);
  } else {
    const std::make_index_sequence<kReals / 2> half{};
    store_sum_of_runs<n>(first_half(x, half) + second_half(x, half), out);
  }
}

// The sum over the rows, for each image.
template <int images, class T>
MRIRECON_HD void sum_over_rows(const Lanes<T>& x, Complex<T>* out) {
  constexpr int kReals = Lanes<T>::kReals, kRun = 2 * images;
  constexpr int kPartsInRun = kRun > kReals ? kRun / kReals : 1;
  T* reals = &out->re;
#pragma GCC unroll 8
  for (int first = 0; first < kPartsInRun; ++first) {
    auto sum = x.part[first];
#pragma GCC unroll 8
    for (int k = first + kPartsInRun; k < Lanes<T>::kParts; k += kPartsInRun) sum += x.part[k];
    store_sum_of_runs<(kRun < kReals ? kRun : kReals)>(sum, reals + first * kReals);
  }
}

// Lanes of columns -> lanes of rows, a square of both. Of the rows, `n_rows` are there.
template <int images, class T>
MRIRECON_HD void turn_to_rows(const Complex<T>* columns, int64_t n_rows, Complex<T>* rows) {
  Lanes<T> x[kRows<images>];
  for (int64_t i = 0; i < kRows<images>; ++i)
    x[i] = i < n_rows ? load_lanes(columns + i * kLanes) : zero_lanes<T>();
  transpose<images>(x);
  for (int64_t i = 0; i < kRows<images>; ++i) store_lanes(x[i], rows + i * kLanes);
}

template <int images, class T>
MRIRECON_HD void turn_to_columns(const Complex<T>* rows, int64_t n_rows, Complex<T>* columns) {
  Lanes<T> x[kRows<images>];
  for (int64_t i = 0; i < kRows<images>; ++i) x[i] = load_lanes(rows + i * kLanes);
  transpose<images>(x);
  for (int64_t i = 0; i < n_rows; ++i) store_lanes(x[i], columns + i * kLanes);
}

}  // namespace MRIRECON_SIMD
}  // namespace mrirecon
