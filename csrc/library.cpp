// The contents page: every operator of the native library.
// Shapes, units and errors: mrirecon/ops/<stem>.py; meaning: mrirecon/reference/<stem>.py.
#include <torch/csrc/stable/library.h>

// A macro, since only literals are joined when compiled.
#define PLAN                                                                   \
  "Tensor starts, Tensor offsets, Tensor positions, Tensor bins, Tensor taps," \
  " Tensor apodisation, Tensor roots, int width, int[] shape, int[] grid"

STABLE_TORCH_LIBRARY(MRIRECON_NAMESPACE, m) {
  // noise_std and seeds: one of each, or one for each element of the batch; without: no noise.
  m.def("apply_mask(Tensor kspace, Tensor mask, Tensor? noise_std, Tensor? seeds) -> Tensor");

  // Without noise_weight: hard. The gradients: to prediction, measured and noise_weight.
  m.def(
      "enforce_consistency(Tensor prediction, Tensor measured, Tensor mask, Tensor? noise_weight)"
      " -> Tensor");
  m.def(
      "grad_enforce_consistency(Tensor grad_out, Tensor? prediction, Tensor? measured, Tensor mask,"
      " Tensor? noise_weight, bool needs_prediction, bool needs_measured)"
      " -> (Tensor, Tensor, Tensor)");

  // Images in and out, k-space on the way, see csrc/round_trip.h. weights: (2,), of what the mask
  // has measured and of the rest; image - zero_filled is weighed in the second, and with 1 and 0 in
  // the third.
  m.def("weigh_kspace(Tensor image, Tensor? coil_maps, Tensor mask, Tensor weights) -> Tensor");
  m.def(
      "enforce_image_consistency(Tensor image, Tensor zero_filled, Tensor mask, Tensor weights)"
      " -> Tensor");
  m.def("undersample_image(Tensor image, Tensor mask, Tensor? noise_std, Tensor? seeds) -> Tensor");

  // Each one's gradients are the other two.
  m.def("expand_coils(Tensor image, Tensor coil_maps) -> Tensor");
  m.def("combine_coils(Tensor coil_images, Tensor coil_maps) -> Tensor");
  m.def("grad_coil_maps(Tensor image, Tensor coil_images, int map_batch) -> Tensor");

  // The gradient is to `prediction`; SSIM is symmetric, so exchange the two for the other one.
  m.def("ssim_mean(Tensor prediction, Tensor target, Tensor data_range, str window) -> Tensor");
  m.def(
      "ssim_mean_with_grad(Tensor prediction, Tensor target, Tensor data_range, str window)"
      " -> (Tensor mean, Tensor grad)");
  m.def("ssim_map(Tensor prediction, Tensor target, Tensor data_range, str window) -> Tensor");
  m.def(
      "grad_ssim_map(Tensor grad_map, Tensor prediction, Tensor target, Tensor data_range,"
      " str window) -> Tensor");

  // mean and rstd: of each channel, for the gradient; that to the slope: one for each channel.
  m.def(
      "instance_norm(Tensor x, Tensor? slope, Tensor? keep, Tensor? residual, float eps, int pad)"
      " -> (Tensor out, Tensor mean, Tensor rstd)");
  m.def(
      "grad_instance_norm(Tensor grad_out, Tensor x, Tensor mean, Tensor rstd, Tensor? slope,"
      " Tensor? keep, int pad) -> (Tensor grad_x, Tensor grad_slope)");

  // The plan's tensors: csrc/nufft.h; coords are there for their gradient alone.
  m.def("nufft(Tensor image, Tensor? coil_maps, Tensor coords, " PLAN ") -> Tensor");
  m.def("nufft_adjoint(Tensor kspace, Tensor? coil_maps, Tensor coords, " PLAN ") -> Tensor");
  m.def(
      "nufft_normal(Tensor image, Tensor? coil_maps, Tensor transfer, Tensor apodisation,"
      " Tensor roots, int[] shape, int[] grid) -> Tensor");

  // The parts of these on a GPU, around its fast Fourier transform: csrc/padding.h,
  // csrc/gridding.h, csrc/transfer.h.
  m.def(
      "pad_image(Tensor image, Tensor? coil_maps, Tensor apodisation, int[] shape, int[] grid)"
      " -> Tensor");
  m.def("interpolate(Tensor points, " PLAN ") -> Tensor");
  m.def("spread(Tensor kspace, " PLAN ") -> Tensor");
  m.def(
      "crop_image(Tensor points, Tensor? coil_maps, Tensor apodisation, int[] shape, int[] grid)"
      " -> Tensor");
  m.def("apply_transfer(Tensor(a!) points, Tensor transfer, int[] grid) -> ()");
}
