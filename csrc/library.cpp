// The contents page: every operator of the native library.
// Shapes, units and errors: mrirecon/ops/<stem>.py; meaning: mrirecon/reference/<stem>.py.
#include <torch/csrc/stable/library.h>

STABLE_TORCH_LIBRARY(MRIRECON_NAMESPACE, m) {
  m.def("apply_mask(Tensor kspace, Tensor mask, float noise_std, int seed) -> Tensor");
}
