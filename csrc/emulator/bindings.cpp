// The Python module `mrirecon_emulated`: importing it also registers torch.ops.mrirecon_emulated,
// the CUDA side of every operator, for CPU tensors.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <array>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "emulator/limits.h"
#include "emulator/numpy_kernels.h"
#include "emulator/settings.h"
#include "emulator/tests/kernels.h"

namespace mrirecon::emulator {
namespace {

namespace py = pybind11;
using Numbers = py::array_t<float, py::array::c_style | py::array::forcecast>;
using Size = std::array<unsigned, 3>;

Order order_named(const std::string& name) {
  if (name == "forward") return Order::forward;
  if (name == "reverse") return Order::reverse;
  if (name == "random") return Order::random;
  throw std::invalid_argument("order: expected forward, reverse or random, got " + name);
}

void configure(const std::string& order, unsigned seed, int os_threads, bool poison,
               int architecture) {
  Settings chosen;
  chosen.order = order_named(order);
  chosen.seed = seed;
  chosen.os_threads = os_threads;
  chosen.is_poisoned = poison;
  chosen.architecture = architecture;
  max_shared_bytes(architecture);  // throws for an unknown one
  settings() = chosen;
}

Numbers run_sample(const std::string& name, const Numbers& numbers, const Size& grid,
                   const Size& block, size_t shared_bytes) {
  const auto found = sample_kernels().find(name);
  if (found == sample_kernels().end())
    throw std::invalid_argument("name: expected a sample kernel, got " + name);
  Numbers out(numbers.size());
  float* values = out.mutable_data();
  for (py::ssize_t i = 0; i < out.size(); ++i) values[i] = 0;
  const Shape shape{{grid[0], grid[1], grid[2]}, {block[0], block[1], block[2]}, shared_bytes};
  found->second(shape, numbers.data(), values, static_cast<int>(numbers.size()));
  return out;
}

}  // namespace

PYBIND11_MODULE(mrirecon_emulated, module) {
  module.doc() = "CUDA's execution model on the CPU, for tests. See csrc/emulator/cuda.h.";
  module.def("configure", configure, py::kw_only(), py::arg("order") = "forward",
             py::arg("seed") = 1, py::arg("os_threads") = 1, py::arg("poison") = true,
             py::arg("architecture") = 75,
             "Set how the next launches run; what is not named returns to its default.");
  module.def("set_launch_bounds", set_launch_bounds, py::arg("n_threads"),
             "Set the most threads of a block of kernels, by name, as __launch_bounds__ does.");
  module.def("run_sample", run_sample, py::arg("name"), py::arg("numbers"), py::kw_only(),
             py::arg("grid") = Size{1, 1, 1}, py::arg("block") = Size{32, 1, 1},
             py::arg("shared_bytes") = 0,
             "Run a kernel of csrc/emulator/tests; return its output, as long as "
             "`numbers`.");
  auto kernels = module.def_submodule("kernels", "The CUDA kernels on NumPy arrays, no torch.");
  define_numpy_kernels(kernels);
}

}  // namespace mrirecon::emulator
