#include "../coils.h"

#include <algorithm>
#include <type_traits>

#include "complex_pack.h"

namespace mrirecon {
inline namespace MRIRECON_SIMD {

// Pixels of one group, and where they begin in each tensor.
struct Tile {
  CoilExtent extent;
  int64_t group, first, n_pixels;

  Tile(const CoilExtent& extent_, int64_t item)
      : extent(extent_),
        group(item / extent_.n_tiles()),
        first(item % extent_.n_tiles() * kCoilTile),
        n_pixels(std::min(kCoilTile, extent_.pixels - first)) {}

  int64_t image(int64_t member) const {
    return (group * extent.group_size + member) * extent.pixels + first;
  }
  int64_t coil_map(int64_t coil) const {
    return (group * extent.coils + coil) * extent.pixels + first;
  }
  int64_t coil_image(int64_t member, int64_t coil) const {
    return ((group * extent.group_size + member) * extent.coils + coil) * extent.pixels + first;
  }
};

// Call body(n, c), n a constant, for coils c to c + n - 1, until all had their turn. Four at a
// time, since many streams hide the memory's latency better than one (measured on data larger than
// the level 2 cache: sums of products take half the time).
template <class Body>
void for_coils(int64_t coils, const Body& body) {
  constexpr int kTogether = 4;
  int64_t c = 0;
  for (; c + kTogether <= coils; c += kTogether) body(std::integral_constant<int, kTogether>{}, c);
  for (; c < coils; ++c) body(std::integral_constant<int, 1>{}, c);
}

// In each of these the group's members come inside the coils, so that maps are read once.
template <class T>
void rows(const ExpandCoils<T>& args, int64_t begin, int64_t end) {
  const int64_t pixels = args.extent.pixels;
  for (int64_t item = begin; item < end; ++item) {
    const Tile tile(args.extent, item);
    for_coils(args.extent.coils, [&](auto n, int64_t c) {
      const Complex<T>* coil_map = args.coil_maps + tile.coil_map(c);
      for (int64_t member = 0; member < args.extent.group_size; ++member) {
        const Complex<T>* image = args.image + tile.image(member);
        Complex<T>* out = args.out + tile.coil_image(member, c);
        for_complex_packs<T>(tile.n_pixels, [&](auto unit, int64_t i) {
          using V = decltype(unit);
          const V value = load<V>(image + i);
          for (int k = 0; k < n; ++k)
            store(product(load<V>(coil_map + k * pixels + i), value), out + k * pixels + i);
        });
      }
    });
  }
}

template <class T>
void rows(const CombineCoils<T>& args, int64_t begin, int64_t end) {
  const int64_t pixels = args.extent.pixels;
  for (int64_t item = begin; item < end; ++item) {
    const Tile tile(args.extent, item);
    for (int64_t member = 0; member < args.extent.group_size; ++member)
      std::fill_n(args.out + tile.image(member), tile.n_pixels, Complex<T>{});
    for_coils(args.extent.coils, [&](auto n, int64_t c) {
      const Complex<T>* coil_map = args.coil_maps + tile.coil_map(c);
      for (int64_t member = 0; member < args.extent.group_size; ++member) {
        const Complex<T>* coil_image = args.coil_images + tile.coil_image(member, c);
        Complex<T>* out = args.out + tile.image(member);
        for_complex_packs<T>(tile.n_pixels, [&](auto unit, int64_t i) {
          using V = decltype(unit);
          V sum = load<V>(out + i);
          for (int k = 0; k < n; ++k)
            sum = add_conjugate_product(sum, load<V>(coil_map + k * pixels + i),
                                        load<V>(coil_image + k * pixels + i));
          store(sum, out + i);
        });
      }
    });
  }
}

template <class T>
void rows(const GradCoilMaps<T>& args, int64_t begin, int64_t end) {
  const int64_t pixels = args.extent.pixels;
  for (int64_t item = begin; item < end; ++item) {
    const Tile tile(args.extent, item);
    for_coils(args.extent.coils, [&](auto n, int64_t c) {
      Complex<T>* out = args.out + tile.coil_map(c);
      if (args.extent.group_size == 0)
        for (int k = 0; k < n; ++k) std::fill_n(out + k * pixels, tile.n_pixels, Complex<T>{});
      for (int64_t member = 0; member < args.extent.group_size; ++member) {
        const Complex<T>* image = args.image + tile.image(member);
        const Complex<T>* coil_image = args.coil_images + tile.coil_image(member, c);
        for_complex_packs<T>(tile.n_pixels, [&](auto unit, int64_t i) {
          using V = decltype(unit);
          const V value = load<V>(image + i);
          for (int k = 0; k < n; ++k)
            store(add_conjugate_product(member == 0 ? V{} : load<V>(out + k * pixels + i), value,
                                        load<V>(coil_image + k * pixels + i)),
                  out + k * pixels + i);
        });
      }
    });
  }
}

}  // namespace MRIRECON_SIMD

template void run_items<kSimd>(const ExpandCoils<float>&, int64_t, int64_t);
template void run_items<kSimd>(const ExpandCoils<double>&, int64_t, int64_t);
template void run_items<kSimd>(const CombineCoils<float>&, int64_t, int64_t);
template void run_items<kSimd>(const CombineCoils<double>&, int64_t, int64_t);
template void run_items<kSimd>(const GradCoilMaps<float>&, int64_t, int64_t);
template void run_items<kSimd>(const GradCoilMaps<double>&, int64_t, int64_t);

}  // namespace mrirecon
