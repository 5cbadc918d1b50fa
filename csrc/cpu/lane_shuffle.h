// Exchanges between lanes: a perfect shuffle turns rows of images into lanes, and rows into
// columns.
#pragma once

#include "lanes.h"

namespace mrirecon {
inline namespace MRIRECON_SIMD {

// From two registers as one list: the first or second half of each in turn, a run at a time.
template <int run, int half, class V, size_t... i>
MRIRECON_HD V zip_registers(V a, V b, std::index_sequence<i...>) {
  constexpr int n = sizeof...(i);
  return __builtin_shufflevector(
      a, b, (i / run % 2 * n + half * n / 2 + i / (2 * run) * run + i % run)...);
}

// low, high: a and b taken in turn, `unit` lanes at a time.
template <int unit, class T>
MRIRECON_HD void zip(const Lanes<T>& a, const Lanes<T>& b, Lanes<T>& low, Lanes<T>& high) {
  constexpr int kRun = 2 * unit, kReals = Lanes<T>::kReals, kParts = Lanes<T>::kParts;
  Lanes<T>::each_part([&](size_t k) {
    if constexpr (kRun < kReals) {
      const std::make_index_sequence<kReals> all{};
      const size_t source = k / 2;  // of part k of `low`; of `high`: the parts half-way on
      constexpr size_t step = kParts > 1 ? kParts / 2 : 0;
      if (kParts == 1) {
        low.part[k] = zip_registers<kRun, 0>(a.part[k], b.part[k], all);
        high.part[k] = zip_registers<kRun, 1>(a.part[k], b.part[k], all);
      } else if (k % 2 == 0) {
        low.part[k] = zip_registers<kRun, 0>(a.part[source], b.part[source], all);
        high.part[k] = zip_registers<kRun, 0>(a.part[source + step], b.part[source + step], all);
      } else {
        low.part[k] = zip_registers<kRun, 1>(a.part[source], b.part[source], all);
        high.part[k] = zip_registers<kRun, 1>(a.part[source + step], b.part[source + step], all);
      }
    } else {
      constexpr size_t kUnitParts = kRun / kReals;
      const size_t source = k / kUnitParts / 2 * kUnitParts + k % kUnitParts;
      const Lanes<T>& from = k / kUnitParts % 2 ? b : a;
      low.part[k] = from.part[source];
      high.part[k] = from.part[source + kParts / 2];
    }
  });
}

// The lanes of x[0 ... n) as one list, seen as two rows, read by columns; `times` over.
template <int n, int unit, int times, class T>
MRIRECON_HD void shuffle(Lanes<T> (&x)[n]) {
  if constexpr (n > 1 && times > 0) {
    Lanes<T> y[n];
#pragma GCC unroll 4
    for (int i = 0; i < n / 2; ++i) zip<unit>(x[i], x[i + n / 2], y[2 * i], y[2 * i + 1]);
#pragma GCC unroll 8
    for (int i = 0; i < n; ++i) x[i] = y[i];
    shuffle<n, unit, times - 1>(x);
  }
}

constexpr int log2_of(int n) { return n > 1 ? 1 + log2_of(n / 2) : 0; }

// x[image]: eight columns  ->  x[j]: columns 8 j / images ..., each with all images.
template <int images, class T>
MRIRECON_HD void gather_images(Lanes<T> (&x)[images]) {
  shuffle<images, 1, log2_of(images)>(x);
}

// The inverse of gather_images.
template <int images, class T>
MRIRECON_HD void scatter_images(Lanes<T> (&x)[images]) {
  shuffle<images, 1, images == 1 ? 0 : 3>(x);
}

// Of registers seen as units of `run` words: those at even (first 0) or odd (1) places of a, then
// of b.
template <int run, int first, class V, size_t... i>
MRIRECON_HD V every_second(V a, V b, std::index_sequence<i...>) {
  return __builtin_shufflevector(a, b, ((2 * (i / run) + first) * run + i % run)...);
}

// Those at even (first 0) or odd (1) places, of a and of b in turn.
template <int run, int first, class V, size_t... i>
MRIRECON_HD V pair_up(V a, V b, std::index_sequence<i...>) {
  constexpr size_t n = sizeof...(i);
  return __builtin_shufflevector(a, b, (i / run % 2 * (n - run) + first * run + i)...);
}

// A square of units of `run` words, in `m` registers: rows -> columns. Pairs of words are exchanged
// by an unpacking, which is the cheapest; larger units by taking every second one of two registers.
template <int run, int m, class V>
MRIRECON_HD void turn_square(V (&x)[m]) {
  const std::make_index_sequence<sizeof(V) / 8> all{};
  if constexpr (m > 2 && run == 1) {
    V half[2][m / 2];
#pragma GCC unroll 4
    for (int i = 0; i < m / 2; ++i) {
      half[0][i] = pair_up<1, 0>(x[2 * i], x[2 * i + 1], all);
      half[1][i] = pair_up<1, 1>(x[2 * i], x[2 * i + 1], all);
    }
    turn_square<2>(half[0]);
    turn_square<2>(half[1]);
#pragma GCC unroll 8
    for (int i = 0; i < m; ++i) x[i] = half[i % 2][i / 2];
  } else if constexpr (m > 1) {
#pragma GCC unroll 2
    for (int round = 1; round < m; round *= 2) {
      V y[m];
#pragma GCC unroll 4
      for (int i = 0; i < m / 2; ++i) {
        y[i] = every_second<run, 0>(x[2 * i], x[2 * i + 1], all);
        y[i + m / 2] = every_second<run, 1>(x[2 * i], x[2 * i + 1], all);
      }
#pragma GCC unroll 8
      for (int i = 0; i < m; ++i) x[i] = y[i];
    }
  }
}

// x[row]: 8 / images columns, each with all images  ->  x[column]: rows. Its own inverse. Squares
// that fill a register are turned each; the rest is which register is which.
template <int images, class T>
MRIRECON_HD void transpose(Lanes<T> (&x)[kLanes / images]) {
  constexpr int kWords = kRegisterBytes / 8, kRun = images * sizeof(Complex<T>) / 8;
  constexpr int n = kLanes / images, m = std::max(1, std::min(n, kWords / kRun));
  constexpr int kUnitParts = std::max(1, kRun / kWords);  // registers that a unit takes
  using Words = typename RegisterOf<double, kWords>::type;
  Lanes<T> y[n];
#pragma GCC unroll 8
  for (int row = 0; row < n; row += m)
#pragma GCC unroll 8
    for (int col = 0; col < n; col += m)
#pragma GCC unroll 8
      for (int part = 0; part < kUnitParts; ++part) {
        Words square[m];
#pragma GCC unroll 8
        for (int i = 0; i < m; ++i) square[i] = (Words)x[row + i].part[col / m * kUnitParts + part];
        turn_square<kRun>(square);
#pragma GCC unroll 8
        for (int i = 0; i < m; ++i)
          y[col + i].part[row / m * kUnitParts + part] = (typename Lanes<T>::Register)square[i];
      }
#pragma GCC unroll 8
  for (int i = 0; i < n; ++i) x[i] = y[i];
}

}  // namespace MRIRECON_SIMD
}  // namespace mrirecon
