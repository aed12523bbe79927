// Audit dumps, and the audit of what they hold.

#include "emu/audit/dump.h"

#include "emu/audit/report.h"
#include "tests/fuzz/fuzz.h"

using namespace mxref;

void fuzz_one(std::string_view bytes) {
  const fuzz::File bytes_in_a_file(fuzz::safetensors(bytes));
  fuzz::read_or_refuse([&] {
    const SafetensorsFile file = SafetensorsFile::open(bytes_in_a_file.path());
    const DumpInput read = read_dump_input(file, {});
    AuditCases cases;
    if (const auto* product = std::get_if<ProductInput>(&read.input)) {
      const Datapath& on = read.datapath ? *read.datapath : datapaths[0];
      if (product->a.rows() * product->b.rows() * product->a.cols() > 4096) return;
      cases.push_back(std::make_unique<ProductCase>(*product, read_answer(file, *product), on));
    } else {
      const auto& conversion = std::get<ConversionInput>(read.input);
      cases.push_back(std::make_unique<ConversionCase>(conversion, read_answer(file, conversion)));
    }
    make_report(cases);
  });
}
