// The cells of a grid: which there are, what they share, and what makes another cell of one.

#include <boost/test/unit_test.hpp>
#include <set>

#include "emu/error.h"
#include "emu/files/atomic_file.h"
#include "eval/study/cells.h"
#include "tests/golden/models_fixture.h"
#include "tests/temporary_folder.h"

using namespace mxref;
using nlohmann::json;

namespace {

// A small model, and tasks and texts that are whatever a grid names.
struct Bench {
  TemporaryFolder folder;
  std::filesystem::path model;
  EngineTable engines{{"kernel", make_kernel_engine}, {"ref", make_ref_engine}};
  std::string text = "some text";

  Grid read(const json& grid) const {
    const GridSources sources{
        .model_path = [this](const std::string&) { return model; },
        .default_task =
            [this](const std::string& task) {
              return TaskSource{task, folder.write(task, "items"), task, true};
            },
        .calibration_text =
            [this](const std::string& source) {
              if (source == "absent") throw InputError("absent: no such file");
              return StudyText{source, text};
            },
        .engines = engines};
    return read_grid(folder.write("grid.json", grid.dump()), sources);
  }
  std::vector<Cell> cells(const json& grid) {
    read_ = read(grid);
    return cells_of(read_);
  }

 private:
  Grid read_;
};

std::unique_ptr<Bench> bench() {
  const auto data = shared_data("models");
  if (!data) return nullptr;
  auto made = std::make_unique<Bench>();
  made->model = *data / "qwen2";
  return made;
}

json small_grid() {
  return {{"models", {"m"}},
          {"methods", {"rtn", "gptq"}},
          {"recipes", {"w8a8", "w4a4"}},
          {"calibration", {{"text", "t"}, {"samples", 2}, {"length", 8}}},
          {"tasks", {"perplexity"}}};
}

std::vector<std::string> titles(const std::vector<Cell>& cells) {
  std::vector<std::string> list;
  for (const Cell& cell : cells) list.push_back(cell.title());
  return list;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(study_cells)

BOOST_AUTO_TEST_CASE(cells_are_the_product_and_the_reference_comes_first) {
  auto b = bench();
  if (!b) return;
  const std::vector<std::string> expected{"m fp32", "m rtn w8a8", "m gptq w8a8 t, 2 × 8",
                                          "m rtn w4a4", "m gptq w4a4 t, 2 × 8"};
  const auto found = titles(b->cells(small_grid()));
  BOOST_TEST(found == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(scale_rules_and_datapaths_are_applied_where_the_recipe_has_them) {
  auto b = bench();
  if (!b) return;
  json grid = small_grid();
  grid["methods"] = {"rtn"};
  grid["recipes"] = {"w4a4", "w4a16", "nvfp4_sides.json", "bf16"};
  grid["recipes"][2] = {
      {"recipe", "w4a4"},
      {"set", {"weights={\"format\":\"nvfp4\"}", "activations={\"format\":\"nvfp4\"}"}},
      {"name", "nvfp4"}};
  grid["scale_rules"] = {"even", "ceil"};
  grid["datapaths"] = {"fake_quant", "exact"};
  const std::vector<Cell> cells = b->cells(grid);
  const std::vector<std::string> expected{
      "m fp32", "m rtn w4a4 even fake_quant", "m rtn w4a4 even exact", "m rtn w4a4 ceil fake_quant",
      "m rtn w4a4 ceil exact", "m rtn w4a16 even", "m rtn w4a16 ceil", "m rtn nvfp4 fake_quant",
      "m rtn nvfp4 exact",
      // No weights are quantized: there is nothing for a method to do.
      "m bf16"};
  const auto found = titles(cells);
  BOOST_TEST(found == expected, boost::test_tools::per_element());
  BOOST_TEST(cells[1].recipe.weights.conversion->rule->name == "even");
  BOOST_TEST(cells[1].recipe.activations.conversion->rule->name == "even");
  BOOST_TEST(cells[1].recipe.datapath == "fake_quant");
}

// Under several calibrations, a method that takes none has one cell all the same.
BOOST_AUTO_TEST_CASE(a_method_without_calibration_has_one_cell) {
  auto b = bench();
  if (!b) return;
  json grid = small_grid();
  grid["recipes"] = {"w4a4"};
  const json& one = grid["calibration"];
  json more = one;
  more["samples"] = 3;
  grid["calibration"] = {one, more};
  const std::vector<std::string> expected{"m fp32", "m rtn w4a4", "m gptq w4a4 t, 2 × 8",
                                          "m gptq w4a4 t, 3 × 8"};
  const auto found = titles(b->cells(grid));
  BOOST_TEST(found == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(datapaths_share_codes_and_methods_of_one_change_share_it) {
  auto b = bench();
  if (!b) return;
  json grid = small_grid();
  grid["recipes"] = {"w4a4"};
  grid["methods"] = {"smoothquant", "smoothquant+gptq", "quarot"};
  grid["datapaths"] = {"fused", "exact"};
  const std::vector<Cell> cells = b->cells(grid);
  BOOST_REQUIRE(cells.size() == 7);
  std::set<std::string> changes, codes;
  for (const Cell& cell : cells)
    if (cell.method) changes.insert(cell.change_key), codes.insert(cell.codes_key);
  BOOST_TEST(changes.size() == 2);
  BOOST_TEST(codes.size() == 3);
  // In the order of work each of them is one run.
  std::vector<std::string> runs;
  for (const size_t i : work_order(cells))
    if (cells[i].method && (runs.empty() || runs.back() != cells[i].codes_key))
      runs.push_back(cells[i].codes_key);
  BOOST_TEST(runs.size() == 3);
}

// How many changes of the model, and choices of codes, the cells of a grid ask for.
std::pair<size_t, size_t> shared_parts(const std::vector<Cell>& cells) {
  std::set<std::string> changes, codes;
  for (const Cell& cell : cells)
    if (cell.method) changes.insert(cell.change_key), codes.insert(cell.codes_key);
  return {changes.size(), codes.size()};
}

// Each method's change and codes are computed once for all recipes that are the same to it.
BOOST_AUTO_TEST_CASE(recipes_share_what_does_not_look_at_them) {
  auto b = bench();
  if (!b) return;
  struct Case {
    const char* method;
    size_t changes, codes;
  };
  for (const auto& [name, changes, codes] : {
           Case{"rtn", 1, 2},             // codes by the weights' two formats
           Case{"gptq", 1, 2},            // inputs are not quantized
           Case{"smoothquant", 1, 2},     // largest inputs are those of the text
           Case{"awq", 2, 2},             // the search rounds weights
           Case{"quarot", 2, 3},          // heads are turned where the cache is quantized
           Case{"spinquant", 4, 4},       // learned under all of it
           Case{"spinquant+gptq", 3, 4},  // learned under activations and the cache
       }) {
    json grid = small_grid();
    grid["methods"] = {name};
    grid["recipes"] = {"w8a8", "w4a8", "w4a4", "w4a4kv4"};
    const auto found = shared_parts(b->cells(grid));
    BOOST_TEST(found.first == changes, name << ": " << found.first << " changes");
    BOOST_TEST(found.second == codes, name << ": " << found.second << " choices of codes");
  }
}

BOOST_AUTO_TEST_CASE(a_change_without_calibration_is_the_same_for_all_of_them) {
  auto b = bench();
  if (!b) return;
  json grid = small_grid();
  grid["recipes"] = {"w4a4"};
  grid["methods"] = {"quarot+gptq"};
  json more = grid["calibration"];
  more["samples"] = 3;
  grid["calibration"] = {grid["calibration"], more};
  BOOST_TEST((shared_parts(b->cells(grid)) == std::pair<size_t, size_t>(1, 2)));
  grid["methods"] = {"smoothquant+gptq"};  // the control
  BOOST_TEST((shared_parts(b->cells(grid)) == std::pair<size_t, size_t>(2, 2)));
}

BOOST_AUTO_TEST_CASE(what_draws_at_random_has_a_cell_for_each_seed) {
  auto b = bench();
  if (!b) return;
  json grid = small_grid();
  grid["recipes"] = {"w4a4"};
  grid["methods"] = {"rtn", "quarot", "gptq"};
  const std::string alone = b->cells(grid)[2].settings_sha256;
  grid["seeds"] = {0, 7};
  const std::vector<Cell> cells = b->cells(grid);
  const std::vector<std::string> expected{"m fp32", "m rtn w4a4", "m quarot w4a4 seed 0",
                                          "m quarot w4a4 seed 7", "m gptq w4a4 t, 2 × 8"};
  const auto found = titles(cells);
  BOOST_TEST(found == expected, boost::test_tools::per_element());
  BOOST_TEST(cells[2].settings_sha256 == alone);
  BOOST_TEST(cells[2].change_key != cells[3].change_key);
}

// Whatever decides a result changes the hash of the settings; a name or another cell does not.
BOOST_AUTO_TEST_CASE(the_hash_of_a_cell_is_of_its_settings) {
  auto b = bench();
  if (!b) return;
  const auto hash = [&](const json& grid) { return b->cells(grid).back().settings_sha256; };
  json grid = small_grid();
  const std::string first = hash(grid);
  json same = grid;
  same["methods"] = json::array({json{{"method", "gptq"}, {"name", "mine"}}});
  BOOST_TEST(hash(same) == first);
  for (const json& patch :
       {json{{"window", 512}}, json{{"limit", 3}}, json{{"noise", 1}}, json{{"statistics", true}},
        json{{"tasks", {"perplexity", "piqa"}}},
        json{{"calibration", {{"text", "t"}, {"samples", 2}, {"length", 9}}}},
        json{{"methods",
              json::array({json{{"method", "gptq"}, {"options", {{"damping", "0.02"}}}}})}},
        json{{"recipes",
              json::array({json{{"recipe", "w4a4"}, {"set", {"weights.prescale=1"}}}})}}}) {
    json other = grid;
    other.update(patch);
    BOOST_TEST(hash(other) != first, patch.dump());
  }
  b->text = "another text";
  BOOST_TEST(hash(grid) != first);
  b->text = "some text";
  // A seed decides what draws by it, and nothing else.
  grid["seed"] = 1;
  BOOST_TEST(hash(grid) == first);
  grid["methods"] = {"quarot"};
  const std::string drawn = hash(grid);
  grid["seed"] = 2;
  BOOST_TEST(hash(grid) != drawn);
}

// One line, exit code 3: the file is at fault.
BOOST_AUTO_TEST_CASE(what_a_grid_says_wrongly_is_named_with_its_place) {
  auto b = bench();
  if (!b) return;
  struct Case {
    json patch;
    const char* says;
  };
  const auto only = [](json item) { return json::array({std::move(item)}); };
  const std::vector<Case> cases{
      {{{"modles", {"m"}}}, "did you mean 'models'"},
      {{{"methods", {"rtn", "gtpq"}}}, "methods.1: unknown method 'gtpq'; did you mean 'gptq'"},
      {{{"methods", only({{"method", "gptq"}, {"option", 1}})}}, "did you mean 'options'"},
      {{{"methods", only({{"method", "gptq"}, {"options", {{"dampin", 1}}}})}}, "'damping'"},
      {{{"methods", only({{"method", "gptq"}, {"options", {{"damping", "much"}}}})}}, "damping"},
      {{{"methods", {"rtn", "rtn"}}}, "methods.1: a second one of the name 'rtn'"},
      {{{"methods", "rtn"}}, "methods: \"rtn\" is no list"},
      {{{"methods", json::array()}}, "no list of at least one"},
      {{{"recipes", {"w4a5"}}}, "recipes.0: unknown recipe 'w4a5'"},
      {{{"recipes", only({{"recipe", "w4a4"}, {"set", {"weights.scale_rul=even"}}})}},
       "did you mean 'scale_rule'"},
      {{{"recipes", only({{"recipe", "w4a4"}, {"set", {"implementation=kernle"}}})}},
       "did you mean 'kernel'"},
      {{{"recipes", only({{"name", "x"}})}}, "recipes.0: has no 'recipe'"},
      {{{"scale_rules", {"evem"}}}, "scale_rules.0: unknown scale rule 'evem'"},
      {{{"scale_rules", {"even", "even"}}}, "stands there twice"},
      {{{"datapaths", {"fuse"}}}, "did you mean 'fused'"},
      {{{"datapaths", only({{"kind", "aligend"}})}}, "datapaths.0"},
      {{{"tasks", {"piqua"}}}, "did you mean 'piqa'"},
      {{{"tasks", {"perplexity:absent.txt"}}}, "absent.txt"},
      {{{"tasks", {"perplexity:"}}}, "names no file"},
      {{{"tasks", only({{"task", "piqa"}, {"limits", 3}})}}, "did you mean 'limit'"},
      {{{"window", 1}}, "window: 1 is no number from 2"},
      {{{"seed", -1}}, "seed: -1 is no number from 0"},
      {{{"limit", 0}}, "limit: 0 is no number from 1"},
      {{{"seeds", json::array()}}, "seeds: [] is no list"},
      {{{"seeds", {0, -1}}}, "seeds.1: -1 is no number from 0"},
      {{{"seeds", {3, 3}}}, "seeds.1: 3 stands there twice"},
      {{{"statistics", 1}}, "neither true nor false"},
      {{{"noise", 1e9}}, "noise"},
      {{{"calibration", {{"text", "absent"}}}}, "absent: no such file"},
      {{{"calibration", {{"text", "t"}, {"sample", 2}}}}, "did you mean 'samples'"},
      {{{"models", json::array()}}, "models: [] is no list"},
  };
  for (const auto& [patch, says] : cases) {
    json grid = small_grid();
    grid.update(patch);
    const auto told = [&](const InputError& e) {
      const std::string what = e.what();
      BOOST_TEST((what.find(says) != what.npos), "should say '" << says << "', says: " << what);
      return what.find("grid.json: ") != what.npos && what.find('\n') == what.npos;
    };
    BOOST_CHECK_EXCEPTION(b->read(grid), InputError, told);
  }
  for (const char* field : {"models", "recipes", "tasks"}) {
    json grid = small_grid();
    grid.erase(field);
    BOOST_CHECK_THROW(b->read(grid), InputError);
  }
  json grid = small_grid();
  grid.erase("calibration");
  BOOST_CHECK_EXCEPTION(b->read(grid), InputError, [](const InputError& e) {
    return std::string(e.what()).find("'gptq' needs a 'calibration'") != std::string::npos;
  });
  BOOST_CHECK_NO_THROW(b->read(small_grid()));  // the control
}

// The grids of the findings, as they are: names, fields, options.
BOOST_AUTO_TEST_CASE(the_grids_of_the_findings_are_well_formed) {
  auto b = bench();
  if (!b) return;
  size_t grids = 0;
  for (const auto& file : std::filesystem::directory_iterator(MXREF_SOURCE_DIR "/eval/findings")) {
    if (file.path().extension() != ".json") continue;
    ++grids;
    const json grid = json::parse(read_file(file.path()));
    BOOST_TEST(b->cells(grid).size() >= 1 + grid["methods"].size(), file.path());
  }
  BOOST_TEST(grids >= 6);
}

BOOST_AUTO_TEST_SUITE_END()
