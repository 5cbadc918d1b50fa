// Sample kernels of cooperative groups: the block, and tiles of a warp.
// tests/emulator/test_groups.py says what is expected of each.
#include <cooperative_groups.h>
#include <cooperative_groups/reduce.h>

#include "kernels.h"

namespace mrirecon::emulator {
namespace {

namespace groups = cooperative_groups;

// Blocks of any dimensions, in the order of the group's own ranks.
__global__ void reverse_group(const float* in, float* out, int) {
  const groups::thread_block block = groups::this_thread_block();
  Row& row = shared_memory<Row>();
  row.value[block.thread_rank()] = in[position()];
  block.sync();
  out[position()] = row.value[block.num_threads() - 1 - block.thread_rank()];
}

// Sum, least and most of each tile, one a thread in turn; then its rank among the tiles.
__global__ void reduce_tiles(const float* in, float* out, int) {
  const auto tile = groups::tiled_partition<8>(groups::this_thread_block());
  const float value = in[position()];
  const float results[4] = {groups::reduce(tile, value, groups::plus<float>()),
                            groups::reduce(tile, value, groups::less<float>()),
                            groups::reduce(tile, value, groups::greater<float>()),
                            static_cast<float>(tile.meta_group_rank())};
  out[position()] = results[tile.thread_rank() % 4];
}

// Each tile of 4 uses another shuffle; pairs of numbers, which a plain shuffle cannot move.
__global__ void shuffle_tiles(const float* in, float* out, int) {
  const auto tile = groups::tiled_partition<4>(groups::this_thread_block());
  const float2 pair{in[position()], in[position()] + 0.5f};
  const float2 results[4] = {tile.shfl(pair, 2), tile.shfl_up(pair, 1), tile.shfl_down(pair, 1),
                             tile.shfl_xor(pair, 3)};
  const float2 result = results[tile.meta_group_rank() % 4];
  out[position()] = 1000 * result.x + result.y;
}

// Tiles vote apart, even where only some of them come to the vote.
__global__ void vote_in_tiles(const float* in, float* out, int) {
  const auto tile = groups::tiled_partition<8>(groups::this_thread_block());
  if (tile.meta_group_rank() % 2) return;
  const bool is_positive = in[position()] > 0;
  tile.sync();
  const int all = tile.all(is_positive), any = tile.any(is_positive);
  out[position()] = static_cast<float>(100000 * (2 * all + any) + tile.ballot(is_positive));
}

__global__ void uneven_tiles(const float*, float*, int) {
  groups::tiled_partition<16>(groups::this_thread_block());
}

const RegisterSamples<reverse_group, reduce_tiles, shuffle_tiles, vote_in_tiles, uneven_tiles>
    registered;

}  // namespace
}  // namespace mrirecon::emulator
