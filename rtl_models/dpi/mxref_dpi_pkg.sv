// The definition of the arithmetic for a SystemVerilog bench, by DPI-C. The functions are in
// libmxref_dpi (mxref_dpi.cc), which calls the C interface of mxref (emu/capi/mxref.h).
//
// Vectors are packed: the code of element i at bit i*8, the binary32 of element i at bit i*32, as on
// the pins of mx_mac_array. Functions that return int give 0 on success; a format or datapath that
// does not exist is null. mxref_dpi_error() is the reason of the last failure.
package mxref_dpi_pkg;
  localparam int MAX_BLOCK = 128;  // the longest block that there is
  typedef bit [MAX_BLOCK*8-1:0]  codes_t;
  typedef bit [MAX_BLOCK*32-1:0] values_t;

  import "DPI-C" function string mxref_dpi_version();
  import "DPI-C" function string mxref_dpi_error();

  // "mxfp4", …; "fused", …, or a description in JSON. Ask once: the handles stay valid.
  import "DPI-C" function chandle mxref_dpi_format(input string name);
  import "DPI-C" function chandle mxref_dpi_format_at(input int number);  // row of mx_pkg's table
  import "DPI-C" function chandle mxref_dpi_datapath(input string name_or_json);

  // The binary32 that equals an element's code, without its scale.
  import "DPI-C" function int mxref_dpi_decode(input chandle format, input byte unsigned code,
                                               output bit [31:0] value);

  // One block pair meets an accumulator: the step of a golden vector. From +0 on the datapath
  // blockwise it is the block's product alone, rounded to binary32.
  import "DPI-C" function int mxref_dpi_block_step(
    input chandle datapath, input chandle format_a, input chandle format_b, input int block,
    input codes_t codes_a, input codes_t codes_b,
    input byte unsigned scale_a, input byte unsigned scale_b,
    input bit [31:0] acc_in, output bit [31:0] acc_out);

  // Binary32 → MX: `count` elements of x, one block, by a scale rule ("floor", …), a rounding
  // ("rne", …) and a pre-scale ("1", "3/4", …). Not for nvfp4, whose tensor has a scale besides.
  import "DPI-C" function int mxref_dpi_quantize_block(
    input string format, input string scale_rule, input string rounding, input string prescale,
    input int count, input values_t x, output codes_t codes, output byte unsigned scale);
endpackage
