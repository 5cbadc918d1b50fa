#include "transfer.h"

#include "nufft_tensors.h"

namespace mrirecon {
namespace {

void apply_transfer(const Tensor& points, const Tensor& transfer, Sizes grid) {
  require_complex("points", points);
  require_shape("points", points, "coils", grid);
  require(points.is_contiguous(), "points: expected a contiguous tensor, since it is changed");
  require(grid.back() % 2 == 0, "grid: expected an even number of columns, got ", grid.back());
  require_transfer(transfer, points, grid);
  const GroupExtent extent = groups_of(points, transfer.size(0));
  dispatch_real(points.scalar_type(), [&](auto real) {
    using T = decltype(real);
    NufftPlan<T> axes{};
    set_axes(axes, static_cast<int64_t>(grid.size()), grid, grid);
    run_on_gpu(points, ApplyTransfer<T>{mutable_complex_data<T>(points),
                                        static_cast<const T*>(transfer.const_data_ptr()), extent,
                                        axes.grid[0], axes.grid[1], axes.grid[2]});
  });
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(MRIRECON_NAMESPACE, MRIRECON_GPU, m) {
  m.impl("apply_transfer", TORCH_BOX(&apply_transfer));
}

}  // namespace mrirecon
