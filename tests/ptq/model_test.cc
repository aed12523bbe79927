// What is read to be changed is a model of its family, with nothing left over.

#include "ptq/model.h"

#include <boost/test/unit_test.hpp>

#include "emu/error.h"
#include "tests/shared_data.h"

using namespace mxref;

namespace {

const std::string gate = "model.layers.0.mlp.gate_proj.weight";

struct Copy {
  explicit Copy(const Checkpoint& source) : model(source.config(), source.path(), source.sha256()) {
    for (const std::string& name : source.names()) model.set(name, source.tensor(name));
  }
  // "" where the model is taken.
  std::string refusal() const {
    try {
      read_model(model);
      return "";
    } catch (const InputError& error) {
      return error.what();
    }
  }
  MemoryCheckpoint model;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(model)

BOOST_AUTO_TEST_CASE(each_tensor_is_there_with_its_shape_and_no_other) {
  const auto data = shared_data("models");
  if (!data) return;
  const auto source = open_checkpoint(*data / "llama_tied");
  BOOST_TEST(Copy(*source).refusal() == "");
  const auto refused = [&](auto change, const std::string& part) {
    Copy copy(*source);
    change(copy.model);
    const std::string said = copy.refusal();
    BOOST_TEST(said.find(part) != said.npos, "expected '" << part << "', got '" << said << "'");
  };
  refused([](MemoryCheckpoint& m) { m.erase(gate); }, gate + "' is missing; expected shape");
  refused(
      [](MemoryCheckpoint& m) {
        m.set("model.layers.0.extra.weight", HostTensor{{1}, {0}});
      },
      "extra.weight' is not used by this architecture and configuration");
  refused(
      [](MemoryCheckpoint& m) {
        m.set(gate, HostTensor{{1, 2}, {0, 0}});
      },
      gate + "' has shape (1, 2), expected");
}

BOOST_AUTO_TEST_SUITE_END()
