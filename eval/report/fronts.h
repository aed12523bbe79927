#pragma once
// Datapaths with their costs and the perplexity of a model on each, as the page shows them.

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace mxref {

struct FrontRow {
  std::string datapath;
  double products;  // a cycle
  double area, area_per_product, clock,
      energy;  // µm², µm² for a product a cycle, MHz, pJ a product
  double perplexity, nll;
};

struct Front {
  std::string recipe, format;
  double noise;  // spread of the base's perplexity where it is computed with a noise of last bits
  std::vector<FrontRow> rows;
  const FrontRow& base() const;  // of the ratios
};

// By recipe; empty where the record has none.
std::vector<Front> fronts_of(const nlohmann::ordered_json& record);

// Perplexity over the ratio of a cost to that of the base. A row is hollow where one that costs no
// more has no larger perplexity; the line of the front joins the others; the band around the base
// is the noise. `name` begins the ids.
std::string plot_front(const Front& front, double FrontRow::*cost, const std::string& name);

}  // namespace mxref
