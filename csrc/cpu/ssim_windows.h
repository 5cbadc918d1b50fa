// Sums over the windows of SSIM, for packs whose lanes are columns (down) or rows (across).
#pragma once

#include "../ssim.h"
#include "pack.h"

namespace mrirecon {
inline namespace MRIRECON_SIMD {

// A group of rows is handled at a time; after transposing, its rows are the lanes of a pack.
constexpr int kGroup = kLanes;  // rows
static_assert(kTileRows % kGroup == 0, "groups must not depend on where a thread starts");

// Columns that are summed across at a time, so that a pack read once serves several windows.
constexpr int kBlock = kLanes < 4 ? kLanes : 4;

// out[g]: weighted sum of the window line[g] ... line[g + kSize - 1]. The weights are symmetric.
template <int n, class P>
MRIRECON_HD void window_sums(GaussianWindow window, const P* line, P (&out)[n]) {
  constexpr int kLast = window.kSize - 1, kHalf = window.kSize / 2;
#pragma GCC unroll 8
  for (int g = 0; g < n; ++g) {
    out[g] = window.weight(kHalf) * line[g + kHalf];
#pragma GCC unroll 8
    for (int i = 0; i < kHalf; ++i)
      out[g] += window.weight(i) * (line[g + i] + line[g + kLast - i]);
  }
}

// Equal weights: every window is an end of line[0 ... kSize - 1] and a beginning of what follows,
// and all windows share the partial sums (van Herk 1992, DOI 10.1016/0167-8655(92)90069-C).
template <int n, class P>
MRIRECON_HD void window_sums(UniformWindow window, const P* line, P (&out)[n]) {
  constexpr int kSize = window.kSize;
  static_assert(n <= kSize + 1, "a window must begin within the first");
  P end = line[kSize - 1], beginning = line[kSize];
  if (n >= kSize) out[kSize - 1] = end;
#pragma GCC unroll 8
  for (int i = kSize - 2; i >= 0; --i) {
    end += line[i];
    if (i < n) out[i] = end;
  }
#pragma GCC unroll 8
  for (int g = 1; g < n; ++g) {
    if (g > 1) beginning += line[kSize - 1 + g];
    out[g] = g < kSize ? out[g] + beginning : beginning;
  }
#pragma GCC unroll 8
  for (int g = 0; g < n; ++g) out[g] *= window.weight(0);
}

// Sums of the kGroup windows that start at values[0], values[1] ..., for the columns of `values`,
// put into out, (columns, kGroup).
template <class Window>
MRIRECON_HD void sum_down(const Pack* values, double* out) {
  Pack sums[kGroup];
  window_sums(Window{}, values, sums);
  transpose(sums);
#pragma GCC unroll 8
  for (int i = 0; i < kLanes; ++i) store(sums[i], out + i * kGroup);
}
template <class Window>
MRIRECON_HD void sum_down(const double* values, double* out) {
  double sums[kGroup];
  window_sums(Window{}, values, sums);
  for (int g = 0; g < kGroup; ++g) out[g] = sums[g];
}

// Sums of the kBlock windows that start at the first columns of `columns`, (.., kGroup).
template <class Window>
MRIRECON_HD void sum_across(const double* columns, Pack (&out)[kBlock]) {
  constexpr int kLine = kBlock + Window::kSize - 1;
  Pack line[kLine];
#pragma GCC unroll 16
  for (int i = 0; i < kLine; ++i) line[i] = load<Pack>(columns + i * kGroup);
  window_sums(Window{}, line, out);
}

// Turn make(column, block), which fills kBlock packs of kGroup rows, into rows for
// put(g, column, P of columns). The last block may reach past column n, by less than kLanes.
template <class Make, class Put>
MRIRECON_HD void for_rows(int64_t n, const Make& make, const Put& put) {
  for (int64_t column = 0; column < n; column += kLanes) {
    Pack rows[kLanes];
#pragma GCC unroll 2
    for (int i = 0; i < kLanes; i += kBlock) {
      Pack block[kBlock];
      make(column + i, block);
#pragma GCC unroll 4
      for (int k = 0; k < kBlock; ++k) rows[i + k] = block[k];
    }
    transpose(rows);
    for (int g = 0; g < kGroup; ++g) {
      if (column + kLanes <= n)
        put(g, column, rows[g]);
      else
        for (int i = 0; column + i < n; ++i) put(g, column + i, rows[g][i]);
    }
  }
}

}  // namespace MRIRECON_SIMD
}  // namespace mrirecon
