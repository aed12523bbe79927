// The accelerator on `exact`, whose sum has room for so many blocks.
#include <boost/test/unit_test.hpp>

#include "emu/accelerator/axi_lite_master.h"
#include "emu/systemc/systemc_accelerator.h"
#include "rtl_models/accelerator/bench_accelerator.h"
#include "tests/rtl_models/accelerator_job.h"

using namespace mxref;
using namespace mxref::accelerator;

// Buffer 0 full of the largest e5m2 under the largest scales; those of A's row 1 are negative.
static void fill_with_largest(Mmio& mmio, const Design& design) {
  const auto fill = [&](uint32_t codes, uint32_t scales, int rows, uint32_t code_of_row_1) {
    for (int row = 0; row < rows; ++row)
      for (int block = 0; block < design.depth; ++block) {
        for (int word = 0; word < design.array.lanes() / 4; ++word)
          mmio.write32(address_of(codes, 0, block, row, word),
                       (row == 1 ? code_of_row_1 : 0x7B) * 0x01010101u);
        mmio.write32(address_of(scales, 0, block, row), 254);
      }
  };
  fill(region("a_codes"), region("a_scales"), design.array.shape.rows, 0xFB);
  fill(region("b_codes"), region("b_scales"), design.array.shape.cols, 0x7B);
}

// A job of so many of these blocks; the error that it gives.
static uint32_t error_of_job(Mmio& mmio, bool first, bool last, uint32_t blocks) {
  const auto e5m2 = uint32_t(format_number(block_format("mxfp8_e5m2")));
  start(mmio, {.first = first,
               .last = last,
               .format_a = e5m2,
               .format_b = e5m2,
               .blocks = blocks,
               .last_elements = good_job.last_elements});
  uint32_t status = 0;
  do status = mmio.read32(register_offset("status"));
  while (get(field("status.busy"), status));
  return get(field("status.error_code"), status);
}

// The sum of 2^16 largest blocks fits, of either sign, and no job goes beyond.
BOOST_AUTO_TEST_CASE(the_sum_of_exact_is_not_overrun) {
  for (const AcceleratorSource& source : bench_accelerators()) {
    const bool is_exact = source.design.array.datapath->kind == Accumulation::exact;
    const auto rtl = source.make();
    const auto model = make_systemc_accelerator(source.design);
    AxiLiteMaster of_rtl(*rtl), of_model(*model);
    StubMmio stub(source.design);
    for (Mmio* mmio : std::initializer_list<Mmio*>{&of_rtl, &of_model, &stub}) {
      if (!is_exact && mmio != &stub) continue;  // they take long
      fill_with_largest(*mmio, source.design);
      uint32_t left = 1 << 16, error = 0;
      for (bool first = true; left > 1 && error == 0; first = false) {
        const uint32_t blocks = std::min(left - 1, uint32_t(source.design.depth));
        error = error_of_job(*mmio, first, false, blocks);
        left -= blocks;
      }
      BOOST_TEST(error == 0u);
      BOOST_TEST(left == 1u);
      const uint32_t two_more = error_of_job(*mmio, false, false, 2);
      BOOST_TEST(two_more == (is_exact ? error_code("tile_too_long") : 0));
      mmio->write32(register_offset("status"), mask(field("status.error")));
      BOOST_TEST(error_of_job(*mmio, false, true, 1) == 0u);
      for (int row : {0, 1})
        BOOST_TEST(mmio->read32(address_of(region("d"), 0, row, 0)) ==
                   (row ? 0xFF800000 : 0x7F800000));
    }
    BOOST_TEST(rtl->assertions_failed() == 0);
    if (!is_exact) continue;
    const std::string covered = rtl->coverage();
    const size_t point = covered.find("error_tile_too_long");
    BOOST_REQUIRE(point != covered.npos);
    BOOST_TEST(covered.compare(covered.find("' ", point), 4, "' 0\n") != 0);
  }
}
