// A scoreboard in SystemVerilog: watches the pins of an mx_mac_array and compares what it gives
// with the definition, by DPI-C. Every block's accumulators are compared as the trace shows them,
// and every row of results as it leaves;
// a row that waits must stay. Put your own array's signals in their place, and your own
// datapath's name. Formats with e8m0 scales.
module mx_scoreboard #(
  parameter int ROWS = 2,
  parameter int COLS = 3,
  localparam int Lanes    = mx_width_pkg::block_lanes(mx_pkg::AllFormats),
  localparam int LaneBits = mx_width_pkg::lane_count_bits(mx_pkg::AllFormats),
  localparam int RowBits  = mx_width_pkg::bits_of_index(ROWS)
) (
  input logic                                           clk_i,
  input logic                                           rst_ni,
  input logic                                           in_valid_i,
  input logic                                           in_ready_i,
  input logic                                           in_first_i,
  input logic                                           in_last_i,
  input logic                                           in_preload_i,
  input logic [LaneBits-1:0]                            in_lanes_i,
  input logic [mx_pkg::FormatBits-1:0]                  format_a_i,
  input logic [mx_pkg::FormatBits-1:0]                  format_b_i,
  input logic [ROWS*Lanes*mx_pkg::CodeBits-1:0]         a_codes_i,
  input logic [ROWS*8-1:0]                              a_scales_i,
  input logic [COLS*Lanes*mx_pkg::CodeBits-1:0]         b_codes_i,
  input logic [COLS*8-1:0]                              b_scales_i,
  input logic [ROWS*COLS*32-1:0]                        c_i,
  input logic                                           trace_valid_i,
  input logic [ROWS*COLS*32-1:0]                        trace_acc_i,
  input logic                                           out_valid_i,
  input logic                                           out_ready_i,
  input logic [RowBits-1:0]                             out_row_i,
  input logic [COLS*32-1:0]                             out_data_i,
  output int                                            compared_o,
  output int                                            failed_o
);
  import mxref_dpi_pkg::*;

  // What the scoreboard keeps is read by nothing but itself, in the order of its statements.
  // verilator lint_off BLKSEQ
  localparam int CODES = Lanes * mx_pkg::CodeBits;
  typedef bit [ROWS*COLS*32-1:0] tile_t;

  chandle datapath;
  chandle formats[mx_pkg::NumFormats];
  int     code_bits[mx_pkg::NumFormats];

  initial begin
    datapath = mxref_dpi_datapath("fused");
    if (datapath == null) $fatal(1, "the definition: %s", mxref_dpi_error());
    for (int f = 0; f < mx_pkg::NumFormats; f++) begin
      formats[f] = mxref_dpi_format_at(f);  // the numbers of mx_pkg's table
      if (formats[f] == null) $fatal(1, "the definition: %s", mxref_dpi_error());
    end
    for (int f = 0; f < mx_pkg::NumFormats; f++)
      code_bits[f] = 1 + 32'(mx_pkg::ExponentBits[f*8 +: 8]) + 32'(mx_pkg::MantissaBits[f*8 +: 8]);
  end

  // What is expected: accumulators after each accepted beat, and tiles whose rows are to come.
  tile_t acc;
  tile_t blocks[$];
  tile_t tiles[$];
  logic [mx_pkg::FormatBits-1:0] format_a, format_b;

  // The array ignores bits above a format's, and lanes behind the block; the definition refuses the
  // former, and +0 adds nothing.
  function automatic codes_t codes_of(input bit [CODES-1:0] pins, input int bits);
    codes_of = '0;
    for (int i = 0; i < Lanes; i++)
      if (i < 32'(in_lanes_i)) codes_of[i*8 +: 8] = pins[i*8 +: 8] & 8'((1 << bits) - 1);
  endfunction

  function automatic void accept_beat;
    if (in_first_i) begin
      format_a = format_a_i;
      format_b = format_b_i;
      acc = in_preload_i ? c_i : '0;
    end
    for (int r = 0; r < ROWS; r++) begin
      for (int c = 0; c < COLS; c++) begin
        bit [31:0] next;
        if (mxref_dpi_block_step(
                datapath, formats[format_a], formats[format_b], Lanes,
                codes_of(a_codes_i[r*CODES +: CODES], code_bits[format_a]),
                codes_of(b_codes_i[c*CODES +: CODES], code_bits[format_b]),
                a_scales_i[r*8 +: 8], b_scales_i[c*8 +: 8], acc[(r*COLS+c)*32 +: 32], next) != 0)
          $fatal(1, "the definition: %s", mxref_dpi_error());
        acc[(r*COLS+c)*32 +: 32] = next;
      end
    end
    blocks.push_back(acc);
    if (in_last_i) tiles.push_back(acc);
  endfunction

  function automatic void check(input bit [31:0] got, input bit [31:0] expected, input string what,
                                input int r, input int c);
    compared_o++;
    if (got == expected) return;
    failed_o++;
    if (failed_o <= 5)
      $display("%0t: %s of (%0d, %0d): expected %h, got %h", $time, what, r, c, expected, got);
  endfunction

  initial begin
    compared_o = 0;
    failed_o = 0;
  end

  int result_row;  // of the tile that is leaving
  bit waited;      // a row of results was not taken at the last edge
  always @(posedge clk_i) begin
    if (!rst_ni) begin
      blocks.delete();
      tiles.delete();
      result_row = 0;
      waited = 1'b0;
    end else begin
      if (waited) check(32'(out_valid_i), 1, "valid of a row that waits", result_row, 0);
      waited = out_valid_i && !out_ready_i;
      // Before this edge's beat: what shows now came in at an earlier one.
      if (trace_valid_i) begin
        tile_t expected;
        if (blocks.size() == 0) $fatal(1, "a block that nobody sent");
        expected = blocks.pop_front();
        for (int i = 0; i < ROWS * COLS; i++)
          check(trace_acc_i[i*32 +: 32], expected[i*32 +: 32], "accumulator", i / COLS, i % COLS);
      end
      if (out_valid_i && out_ready_i) begin
        if (tiles.size() == 0) $fatal(1, "a row of results that nobody waits for");
        check(32'(out_row_i), result_row, "number of a row", result_row, 0);
        for (int c = 0; c < COLS; c++)
          check(out_data_i[c*32 +: 32], tiles[0][(result_row*COLS+c)*32 +: 32], "result",
                result_row, c);
        result_row++;
        if (result_row == ROWS) begin
          void'(tiles.pop_front());
          result_row = 0;
        end
      end
      if (in_valid_i && in_ready_i) accept_beat();
    end
  end
endmodule
