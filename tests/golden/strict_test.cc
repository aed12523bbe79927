// The strict rest: a model has one result, bit for bit, by whatever way it is computed.

#include "tests/golden/every_way.h"

using namespace mxref;
using namespace mxref::test;

BOOST_AUTO_TEST_SUITE(strict)

BOOST_AUTO_TEST_CASE(every_family_has_the_same_bits_by_every_way) {
  const auto data = shared_data("models");
  if (!data) return;
  for (const char* family : text_families) {
    const auto reference = SafetensorsFile::open(*data / family / "reference.safetensors");
    const at::Tensor ids = view_of(reference, "batch.input_ids").flatten();
    for (const std::string_view name : recipe_names()) {
      const Recipe recipe = parse_recipe(name);
      if (recipe.rest != "strict") continue;
      const auto model = load_model(*open_checkpoint(*data / family), recipe, engines);
      expect_the_same_bits_by_every_way(*model, ids, std::string(family) + " " + recipe.name);
    }
  }
}

// The control: a library's rest has other bits in a batch, or with a cache.
BOOST_AUTO_TEST_CASE(control_a_librarys_rest_has_other_bits_with_a_cache) {
  const auto data = shared_data("models");
  if (!data) return;
  const auto reference = SafetensorsFile::open(*data / "llama3" / "reference.safetensors");
  const at::Tensor ids = view_of(reference, "batch.input_ids").flatten().unsqueeze(0);
  const auto model = load_model(*open_checkpoint(*data / "llama3"),
                                parse_recipe("fp32", {"rest=library"}), engines);
  BOOST_TEST(differences(bits_in_a_batch(*model, ids, 0), bits_with_a_cache(*model, ids, 1)) > 0);
}

BOOST_AUTO_TEST_SUITE_END()
