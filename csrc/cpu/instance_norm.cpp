#include "../instance_norm.h"

#include <algorithm>
#include <vector>

#include "strips.h"

namespace mrirecon {
inline namespace MRIRECON_SIMD {

// The channels' values for one image.
template <class V, class S>
struct StripChannels {
  V mean, rstd, keep, slope;

  MRIRECON_HD StripChannels(const NormChannels<S>& channels, int64_t first, const Strip& strip)
      : mean(of_channels<V>(channels.mean + first, strip)),
        rstd(of_channels<V>(channels.rstd + first, strip)),
        keep(channels.keep ? of_channels<V>(channels.keep + first, strip) : V{} + 1),
        slope(V{} + (channels.slope ? *channels.slope : S(1))) {}

  MRIRECON_HD V normal(const V& x) const { return (x - mean) * rstd; }
};

// Rows of one image that make an item.
struct Chunk {
  int64_t image, index, begin, end;

  Chunk(const NormExtent& extent, int64_t item, int64_t n_chunks, int64_t n_rows)
      : image(item / n_chunks),
        index(item % n_chunks),
        begin(index * extent.chunk_rows()),
        end(std::min(n_rows, begin + extent.chunk_rows())) {}
};

// Corrected two passes over a chunk, the second from the cache: however far from zero the pixels
// are, or one of them from the others, no large squares cancel.
template <class T>
void rows(const NormMoments<T>& args, int64_t begin, int64_t end) {
  using S = Real<T>;
  const NormExtent& extent = args.extent;
  const int64_t channels = extent.channels;
  std::vector<S> origin(channels);
  for (int64_t item = begin; item < end; ++item) {
    const Chunk chunk(extent, item, extent.n_chunks(), extent.rows);
    const T* x = args.x + (chunk.image * extent.rows + chunk.begin) * extent.cols * channels;
    const int64_t n_pixels = extent.chunk_pixels(chunk.index);
    const S n = static_cast<S>(n_pixels);
    S *sums = args.partials + item * 2 * channels, *squares = sums + channels;
    std::fill(origin.begin(), origin.end(), S(0));
    std::fill_n(sums, 2 * channels, S(0));
    for_strips<S>(n_pixels, channels, [&](auto unit, const Strip& strip) {
      using V = decltype(unit);
      prefetch_block(x, strip);
      V sum{};
      for (int64_t i = 0; i < strip.n; ++i) sum += load<V>(x + strip.first + i * strip.step);
      add_to_channels(sum, origin.data(), strip);
    });
    for (S& value : origin) value /= n;
    for_strips<S>(n_pixels, channels, [&](auto unit, const Strip& strip) {
      using V = decltype(unit);
      const V from = of_channels<V>(origin.data(), strip);
      V sum{}, square{};
      for (int64_t i = 0; i < strip.n; ++i) {
        const V deviation = load<V>(x + strip.first + i * strip.step) - from;
        sum += deviation;
        square += deviation * deviation;
      }
      add_to_channels(sum, sums, strip);
      add_to_channels(square, squares, strip);
    });
    for (int64_t c = 0; c < channels; ++c) {
      squares[c] -= sums[c] * sums[c] / n;
      sums[c] = origin[c] + sums[c] / n;
    }
  }
}

template <class S>
void rows(const NormStatistics<S>& args, int64_t begin, int64_t end) {
  for (int64_t image = begin; image < end; ++image)
    for (int64_t c = 0; c < args.extent.channels; ++c) merge_moments<double>(args, image, c);
}

// `n` pixels of the output from neighbouring pixels of x.
template <class T>
MRIRECON_HD void normalise(const ApplyNorm<T>& args, int64_t image, const T* x, const T* residual,
                           T* out, int64_t n) {
  using S = Real<T>;
  const int64_t channels = args.extent.channels;
  for_strips<S>(n, channels, [&](auto unit, const Strip& strip) {
    using V = decltype(unit);
    prefetch_block(x, strip);
    prefetch_block<1>(out, strip);
    if (residual) prefetch_block(residual, strip);
    const StripChannels<V, S> of(args.channels, image * channels, strip);
    const T *from = x + strip.first, *added = residual + strip.first;
    T* to = out + strip.first;
    if (residual) {
      for (int64_t i = 0; i < strip.n * strip.step; i += strip.step)
        store(load<V>(added + i) + of.keep * prelu(of.normal(load<V>(from + i)), of.slope), to + i);
    } else {
      for (int64_t i = 0; i < strip.n * strip.step; i += strip.step)
        store<V>(of.keep * prelu(of.normal(load<V>(from + i)), of.slope), to + i);
    }
  });
}

template <class T>
void rows(const ApplyNorm<T>& args, int64_t begin, int64_t end) {
  const NormExtent& extent = args.extent;
  const int64_t channels = extent.channels, pad = extent.pad;
  for (int64_t item = begin; item < end; ++item) {
    const Chunk chunk(extent, item, extent.n_out_chunks(), extent.out_rows());
    for (int64_t row = chunk.begin; row < chunk.end; ++row) {
      const T* x = args.x + chunk.image * extent.image_size() +
                   reflected(row - pad, extent.rows) * extent.cols * channels;
      const int64_t first = (chunk.image * extent.out_rows() + row) * extent.out_cols() * channels;
      const auto make = [&](int64_t col, int64_t n) {
        const int64_t at = first + col * channels;
        normalise(args, chunk.image, x + reflected(col - pad, extent.cols) * channels,
                  args.residual ? args.residual + at : nullptr, args.out + at, n);
      };
      make(pad, extent.cols);
      for (int64_t i = 0; i < pad; ++i) {
        make(i, 1);
        make(pad + extent.cols + i, 1);
      }
    }
  }
}

// Add `n` numbers to `sum`.
template <class T>
MRIRECON_HD void add_numbers(const T* numbers, T* sum, int64_t n) {
  for (int64_t i = 0; i < n; ++i) sum[i] = Narrow<T>::of(widen(sum[i]) + widen(numbers[i]));
}

// The gradient to the rows of an image before its border was made: that of a pixel and of its
// reflections.
template <class T>
class FoldedRows {
 public:
  FoldedRows(const NormExtent& extent, const T* grad_out)
      : extent_(extent),
        grad_out_(grad_out),
        folded_(extent.pad > 0 ? extent.cols * extent.channels : 0) {}

  // Row `row` of `image`, valid until the next call.
  const T* row(int64_t image, int64_t row) {
    const int64_t n = extent_.cols * extent_.channels;
    const T* grad = grad_out_ + image * extent_.out_image_size();
    if (extent_.pad == 0) return grad + row * n;
    for (int which = 0; which < 3; ++which) {
      const int64_t out_row = place_in_output(row, which, extent_.rows, extent_.pad);
      if (out_row < 0) continue;
      const T* interior = grad + (out_row * extent_.out_cols() + extent_.pad) * extent_.channels;
      if (which == 0)
        std::copy_n(interior, n, folded_.data());
      else
        add_numbers(interior, folded_.data(), n);
      add_sides(interior);
    }
    return folded_.data();
  }

 private:
  // The border of a row, at both sides of its `interior`.
  void add_sides(const T* interior) {
    const int64_t channels = extent_.channels, last = extent_.cols - 1;
    for (int64_t i = 1; i <= extent_.pad; ++i) {
      add_numbers(interior - i * channels, &folded_[i * channels], channels);
      add_numbers(interior + (last + i) * channels, &folded_[(last - i) * channels], channels);
    }
  }

  NormExtent extent_;
  const T* grad_out_;
  std::vector<T> folded_;
};

template <class T>
void rows(const GradNormSums<T>& args, int64_t begin, int64_t end) {
  using S = Real<T>;
  const NormExtent& extent = args.extent;
  const int64_t channels = extent.channels;
  FoldedRows<T> folded(extent, args.grad_out);
  for (int64_t item = begin; item < end; ++item) {
    const Chunk chunk(extent, item, extent.n_chunks(), extent.rows);
    S* sums = args.partials + item * 3 * channels;
    std::fill_n(sums, 3 * channels, S(0));
    for (int64_t row = chunk.begin; row < chunk.end; ++row) {
      const T* grad = folded.row(chunk.image, row);
      const T* x = args.x + (chunk.image * extent.rows + row) * extent.cols * channels;
      for_strips<S>(extent.cols, channels, [&](auto unit, const Strip& strip) {
        using V = decltype(unit);
        prefetch_block(x, strip);
        if (extent.pad == 0) prefetch_block(grad, strip);
        const StripChannels<V, S> of(args.channels, chunk.image * channels, strip);
        V sum{}, product{}, of_slope{};
        for (int64_t i = 0; i < strip.n; ++i) {
          const V normal = of.normal(load<V>(x + strip.first + i * strip.step));
          const V grad_out = load<V>(grad + strip.first + i * strip.step);
          const V grad_normal = grad_prelu(grad_out, normal, of.slope);
          sum += grad_normal;
          product += grad_normal * normal;
          of_slope += grad_slope_of(grad_out, normal);
        }
        add_to_channels(sum, sums, strip);
        add_to_channels(product, sums + channels, strip);
        add_to_channels(of_slope, sums + 2 * channels, strip);
      });
    }
  }
}

template <class S>
void rows(const GradNormMeans<S>& args, int64_t begin, int64_t end) {
  for (int64_t image = begin; image < end; ++image)
    for (int64_t c = 0; c < args.extent.channels; ++c) merge_grad_sums<double>(args, image, c);
}

template <class T>
void rows(const GradNorm<T>& args, int64_t begin, int64_t end) {
  using S = Real<T>;
  const NormExtent& extent = args.extent;
  const int64_t channels = extent.channels;
  FoldedRows<T> folded(extent, args.grad_out);
  for (int64_t item = begin; item < end; ++item) {
    const Chunk chunk(extent, item, extent.n_chunks(), extent.rows);
    for (int64_t row = chunk.begin; row < chunk.end; ++row) {
      const T* grad = folded.row(chunk.image, row);
      const int64_t first = (chunk.image * extent.rows + row) * extent.cols * channels;
      for_strips<S>(extent.cols, channels, [&](auto unit, const Strip& strip) {
        using V = decltype(unit);
        prefetch_block(args.x + first, strip);
        prefetch_block<1>(args.grad_x + first, strip);
        if (extent.pad == 0) prefetch_block(grad, strip);
        const StripChannels<V, S> of(args.channels, chunk.image * channels, strip);
        const V mean = of_channels<V>(args.mean + chunk.image * channels, strip);
        const V product = of_channels<V>(args.mean_product + chunk.image * channels, strip);
        const V scale = of.keep * of.rstd;
        const T* x = args.x + first + strip.first;
        T* grad_x = args.grad_x + first + strip.first;
        for (int64_t i = 0; i < strip.n * strip.step; i += strip.step) {
          const V normal = of.normal(load<V>(x + i));
          const V grad_normal = grad_prelu(load<V>(grad + strip.first + i), normal, of.slope);
          store<V>(scale * (grad_normal - mean - normal * product), grad_x + i);
        }
      });
    }
  }
}

}  // namespace MRIRECON_SIMD

template void run_items<kSimd>(const NormMoments<float>&, int64_t, int64_t);
template void run_items<kSimd>(const NormMoments<double>&, int64_t, int64_t);
template void run_items<kSimd>(const NormMoments<BFloat16>&, int64_t, int64_t);
template void run_items<kSimd>(const NormStatistics<float>&, int64_t, int64_t);
template void run_items<kSimd>(const NormStatistics<double>&, int64_t, int64_t);
template void run_items<kSimd>(const ApplyNorm<float>&, int64_t, int64_t);
template void run_items<kSimd>(const ApplyNorm<double>&, int64_t, int64_t);
template void run_items<kSimd>(const ApplyNorm<BFloat16>&, int64_t, int64_t);
template void run_items<kSimd>(const GradNormSums<float>&, int64_t, int64_t);
template void run_items<kSimd>(const GradNormSums<double>&, int64_t, int64_t);
template void run_items<kSimd>(const GradNormSums<BFloat16>&, int64_t, int64_t);
template void run_items<kSimd>(const GradNormMeans<float>&, int64_t, int64_t);
template void run_items<kSimd>(const GradNormMeans<double>&, int64_t, int64_t);
template void run_items<kSimd>(const GradNorm<float>&, int64_t, int64_t);
template void run_items<kSimd>(const GradNorm<double>&, int64_t, int64_t);
template void run_items<kSimd>(const GradNorm<BFloat16>&, int64_t, int64_t);

}  // namespace mrirecon
