// Fast Fourier transforms of eight rows at once: each lane is a row of its own.
//
// Decimation in frequency (Gentleman and Sande 1966, DOI 10.1145/1464291.1464352), in place in a
// buffer that stays in the first cache. The first pass reads through the caller's `load`, the last
// one writes through its `store`, to the place that undoes the reversed digits: so zero padding,
// cropping, scaling and transposing cost no pass of their own. Where a transform is followed by its
// inverse, both stay in the buffer.
#pragma once

#include <utility>
#include <vector>

#include "butterflies.h"

namespace mrirecon {
inline namespace MRIRECON_SIMD {

// A butterfly of eight keeps eight lanes in registers; where they do not fit, four.
template <class T>
constexpr int kLargestRadix = Lanes<T>::kParts == 1 ? 8 : 4;

template <class T>
class LaneFft {
 public:
  // n: a product of 2, 3, 5 and 7. roots: (n,), exp(-2 pi i j / n).
  LaneFft(int64_t n, const Complex<T>* roots) : n_(n), places_(1, 0) {
    for (int64_t length = n; length > 1; length /= passes_.back().radix) add_pass(length, roots);
    for (size_t i = passes_.size(); i-- > 0;) add_places(passes_[i].radix);
  }

  int64_t size() const { return n_; }

  // store(k, sum over j of load(j) exp(-2 pi i j k / n)), for each lane; not scaled. For the
  // inverse, whose frequency k is this one's -k, store at (n - k) % n. `buffer` holds n lanes.
  // All bodies are taken by value and should capture so: what a store might change is read anew.
  template <class Load, class Store>
  void run(Complex<T>* buffer, Load load, Store store) const {
    const auto from_buffer = [buffer](int64_t i) { return load_lanes(lane_at(buffer, i)); };
    const auto to_buffer = [buffer](int64_t i, const Lanes<T>& x) {
      store_lanes(x, lane_at(buffer, i));
    };
    const auto to_place = [store, places = places_.data()](int64_t i, const Lanes<T>& x) {
      store(places[i], x);
    };
    if (passes_.empty()) return store(0, load(0));
    if (passes_.size() == 1) return run_pass(passes_[0], load, to_place);
    run_pass(passes_.front(), load, to_buffer);
    for (size_t i = 1; i + 1 < passes_.size(); ++i) run_in_place(passes_[i], buffer);
    run_pass(passes_.back(), from_buffer, to_place);
  }

  // Transform in place, weigh(k, x) each frequency, and transform back; not scaled. The inverse
  // takes the passes backwards, so that no frequency is ever put in its place.
  template <class Weigh>
  void filter(Complex<T>* buffer, Weigh weigh) const {
    start_filter(buffer);
    end_filter(buffer, weigh, buffer);
  }

  // The same in two parts: what the first one leaves in `started` can be weighed more than once.
  void start_filter(Complex<T>* buffer) const {
    for (size_t i = 0; i + 1 < passes_.size(); ++i) run_in_place(passes_[i], buffer);
  }
  template <class Weigh>
  void end_filter(const Complex<T>* started, Weigh weigh, Complex<T>* out) const {
    if (passes_.empty()) return store_lanes(weigh(0, load_lanes(started)), out);
    with_constant(passes_.back().radix, Radices{},
                  [&](auto radix) { run_middle<radix>(started, weigh, out); });
    for (size_t i = passes_.size() - 1; i-- > 0;) run_back(passes_[i], out);
  }

 private:
  using Radices = std::integer_sequence<int, 8, 7, 5, 4, 3, 2>;

  struct Pass {
    int radix;
    int64_t step;                     // between the samples of a butterfly
    std::vector<Factor<T>> twiddles;  // (step, radix - 1), w^(j r) for r = 1 ... radix - 1
  };

  static int next_radix(int64_t length) {
    if (kLargestRadix<T> == 8 && length % 8 == 0 && length != 16) return 8;
    for (const int radix : {4, 5, 3, 7})
      if (length % radix == 0) return radix;
    return 2;
  }

  void add_pass(int64_t length, const Complex<T>* roots) {
    Pass pass{next_radix(length), 0, {}};
    pass.step = length / pass.radix;
    pass.twiddles.reserve(static_cast<size_t>(pass.step * (pass.radix - 1)));
    for (int64_t j = 0; j < pass.step; ++j)
      for (int r = 1; r < pass.radix; ++r) {
        const Complex<T> w = roots[j * r * (n_ / length)];
        pass.twiddles.push_back({w.re, {-w.im, w.im}});
      }
    passes_.push_back(std::move(pass));
  }

  // Part r of a block that a pass of this radix has split holds the frequencies r, r + radix, ...
  void add_places(int radix) {
    std::vector<int32_t> places;
    places.reserve(places_.size() * static_cast<size_t>(radix));
    for (int r = 0; r < radix; ++r)
      for (const int32_t place : places_) places.push_back(r + radix * place);
    places_ = std::move(places);
  }

  template <class Load, class Store>
  void run_pass(const Pass& pass, Load load, Store store) const {
    with_constant(pass.radix, Radices{}, [&](auto radix) {
      pass.step == 1 ? run_butterflies<radix, false>(pass, load, store)
                     : run_butterflies<radix, true>(pass, load, store);
    });
  }

  template <int radix, bool has_twiddles, class Load, class Store>
  void run_butterflies(const Pass& pass, Load load, Store store) const {
    const int64_t n = n_, step = has_twiddles ? pass.step : 1;
    for (int64_t block = 0; block < n; block += radix * step) {
      const Factor<T>* twiddles = pass.twiddles.data();
      for (int64_t j = block; j < block + step; ++j, twiddles += radix - 1) {
        Lanes<T> x[radix];
#pragma GCC unroll 8
        for (int r = 0; r < radix; ++r) x[r] = load(j + r * step);
        transform(x);
        store(j, x[0]);
#pragma GCC unroll 8
        for (int r = 1; r < radix; ++r)
          store(j + r * step, has_twiddles ? twiddles[r - 1] * x[r] : x[r]);
      }
    }
  }

  // The last pass, and at once the first one back: its butterfly is that of a forward transform,
  // of which frequency r is the inverse's -r.
  template <int radix, class Weigh>
  void run_middle(const Complex<T>* started, Weigh weigh, Complex<T>* out) const {
    const int32_t* places = places_.data();
    for (int64_t block = 0; block < n_; block += radix, places += radix) {
      Lanes<T> x[radix];
#pragma GCC unroll 8
      for (int r = 0; r < radix; ++r) x[r] = load_lanes(lane_at(started, block + r));
      transform(x);
#pragma GCC unroll 8
      for (int r = 0; r < radix; ++r) x[r] = weigh(places[r], x[r]);
      transform(x);
#pragma GCC unroll 8
      for (int r = 0; r < radix; ++r) store_lanes(x[(radix - r) % radix], lane_at(out, block + r));
    }
  }

  [[gnu::noinline]] void run_in_place(const Pass& pass, Complex<T>* buffer) const {
    run_pass(
        pass, [buffer](int64_t i) { return load_lanes(lane_at(buffer, i)); },
        [buffer](int64_t i, const Lanes<T>& x) { store_lanes(x, lane_at(buffer, i)); });
  }

  // The inverse of `run_in_place`, times the radix.
  [[gnu::noinline]] void run_back(const Pass& pass, Complex<T>* buffer) const {
    with_constant(pass.radix, Radices{},
                  [&](auto radix) { run_butterflies_back<radix>(pass, buffer); });
  }

  template <int radix>
  void run_butterflies_back(const Pass& pass, Complex<T>* buffer) const {
    const int64_t step = pass.step;
    for (int64_t block = 0; block < n_; block += radix * step)
      for (int64_t j = 0; j < step; ++j) {
        const Factor<T>* twiddles = pass.twiddles.data() + j * (radix - 1);
        Complex<T>* const at = buffer + (block + j) * kLanes;
        Lanes<T> x[radix];
        x[0] = load_lanes(at);
#pragma GCC unroll 8
        for (int r = 1; r < radix; ++r)
          x[r] = multiply_by_conjugate(twiddles[r - 1], load_lanes(at + r * step * kLanes));
        transform(x);
#pragma GCC unroll 8
        for (int r = 0; r < radix; ++r) store_lanes(x[(radix - r) % radix], at + r * step * kLanes);
      }
  }

  int64_t n_;
  std::vector<Pass> passes_;
  std::vector<int32_t> places_;  // (n,), the frequency at each position after all passes
};

}  // namespace MRIRECON_SIMD
}  // namespace mrirecon
