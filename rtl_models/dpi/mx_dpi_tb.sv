// A bench around mx_scoreboard: random tiles through an mx_mac_array with gaps and back-pressure.
// Numbers are converted by the definition, and the bench first asks it for values that are known.
//
//   $ verilator --binary --timing --top-module mx_dpi_tb -F rtl_models/rtl/mx_mac_array.f \
//     rtl_models/dpi/{mxref_dpi_pkg,mx_scoreboard,mx_dpi_tb}.sv \
//     -LDFLAGS "$PWD/build/lib/libmxref_dpi.so -Wl,-rpath,$PWD/build/lib"
//   $ obj_dir/Vmx_dpi_tb +tiles=500 [+fault=5] [+verilator+seed+1]
//
// fault: the number of a fault planted in the RTL (rtl_models/rtl/faults.h). Prints PASS, or what
// differs.
module mx_dpi_tb;
  import mxref_dpi_pkg::*;

  // Numbers of plus-arguments, and vectors of the package that a block fills in part.
  // verilator lint_off UNUSEDSIGNAL

  localparam int ROWS = 2;
  localparam int COLS = 3;
  localparam int BLOCK = mx_width_pkg::block_lanes(mx_pkg::AllFormats);
  localparam int CODES = BLOCK * mx_pkg::CodeBits;
  // Those of mx_pkg's table that have e8m0 scales.
  localparam string FORMATS[6] = '{"mxfp4", "mxfp6_e3m2", "mxfp6_e2m3", "mxfp8_e4m3", "mxfp8_e5m2",
                                   "mxint8"};
  localparam int PATIENCE = 1000;  // cycles: a transfer that waits longer never comes

  logic clk, rst_n, in_valid, in_ready, in_first, in_last, in_preload, out_valid, out_ready, out_last;
  logic trace_valid;
  logic [mx_pkg::FormatBits-1:0] format_a, format_b;
  logic [$clog2(BLOCK+1)-1:0] in_lanes;
  logic [ROWS*CODES-1:0]   a_codes;
  logic [COLS*CODES-1:0]   b_codes;
  logic [ROWS*8-1:0]       a_scales;
  logic [COLS*8-1:0]       b_scales;
  logic [ROWS*COLS*32-1:0] c, trace_acc;
  logic [COLS*32-1:0]      out_data;
  logic [0:0]              out_row;
  logic [mx_pkg::FaultBits-1:0] fault;
  int tiles, fault_number, compared, failed, tiles_out;

  // verilator lint_off PINCONNECTEMPTY
  mx_mac_array #(
    .ROWS  (ROWS),
    .COLS  (COLS),
    .FAULTS(1'b1)
  ) u_array (
    .clk_i         (clk),
    .rst_ni        (rst_n),
    .in_valid_i    (in_valid),
    .in_ready_o    (in_ready),
    .in_first_i    (in_first),
    .in_last_i     (in_last),
    .in_preload_i  (in_preload),
    .in_lanes_i    (in_lanes),
    .out_type_i    (2'd0),
    .format_a_i    (format_a),
    .format_b_i    (format_b),
    .a_codes_i     (a_codes),
    .a_scales_i    (a_scales),
    .b_codes_i     (b_codes),
    .b_scales_i    (b_scales),
    .c_i           (c),
    .out_valid_o   (out_valid),
    .out_ready_i   (out_ready),
    .out_row_o     (out_row),
    .out_last_o    (out_last),
    .out_data_o    (out_data),
    .trace_valid_o (trace_valid),
    .trace_first_o (),
    .trace_last_o  (),
    .trace_acc_o   (trace_acc),
    .trace_stages_o(),
    .fault_i       (fault)
  );
  mx_scoreboard #(
    .ROWS(ROWS),
    .COLS(COLS)
  ) u_scoreboard (
    .clk_i        (clk),
    .rst_ni       (rst_n),
    .in_valid_i   (in_valid),
    .in_ready_i   (in_ready),
    .in_first_i   (in_first),
    .in_last_i    (in_last),
    .in_preload_i (in_preload),
    .in_lanes_i   (in_lanes),
    .format_a_i   (format_a),
    .format_b_i   (format_b),
    .a_codes_i    (a_codes),
    .a_scales_i   (a_scales),
    .b_codes_i    (b_codes),
    .b_scales_i   (b_scales),
    .c_i          (c),
    .trace_valid_i(trace_valid),
    .trace_acc_i  (trace_acc),
    .out_valid_i  (out_valid),
    .out_ready_i  (out_ready),
    .out_row_i    (out_row),
    .out_data_i   (out_data),
    .compared_o   (compared),
    .failed_o     (failed)
  );

  initial begin
    clk = 1'b0;
    forever #1 clk = !clk;
  end
  always @(negedge clk) out_ready <= $urandom_range(3) != 0;
  always @(posedge clk) if (rst_n && out_valid && out_ready && out_last) tiles_out <= tiles_out + 1;

  // A binary32: near 1, or of any exponent, NaN and Inf among them.
  function automatic bit [31:0] random_value(input bit wide);
    random_value = $urandom;
    if (!wide) random_value[30:23] = 8'(120 + $urandom_range(15));
  endfunction

  // Where an accumulator starts: zeros of both signs, NaN with a payload and subnormal numbers too.
  function automatic bit [31:0] random_start;
    case ($urandom_range(7))
      0: random_start = {1'($urandom), 31'd0};
      1: random_start = {9'b0_11111111, 23'($urandom) | 23'd1};
      2: random_start = {1'($urandom), 8'd0, 23'($urandom)};
      3: random_start = random_value(1'b1);
      default: random_start = random_value(1'b0);
    endcase
  endfunction

  // A block of random values in one of the array's formats, as the definition converts it.
  task automatic random_block(input logic [mx_pkg::FormatBits-1:0] format,
                              output bit [CODES-1:0] codes, output byte unsigned scale);
    values_t x = '0;
    codes_t  converted;
    bit      wide = $urandom_range(15) == 0;
    for (int i = 0; i < BLOCK; i++) x[i*32 +: 32] = random_value(wide);
    if (mxref_dpi_quantize_block(FORMATS[format], "floor", "rne", "3/4", BLOCK, x, converted,
                                 scale) != 0)
      $fatal(1, "the definition: %s", mxref_dpi_error());
    codes = converted[CODES-1:0];
    // What no conversion of such values gives: codes of every kind, a block of zeros, the least
    // scale, and NaN.
    case ($urandom_range(15))
      0: for (int i = 0; i < CODES; i += 32) codes[i +: 32] = $urandom;
      1: codes = '0;
      2: scale = 8'h00;
      3: scale = 8'($urandom);
      4: if ($urandom_range(3) == 0) scale = 8'hFF;
      default: ;
    endcase
  endtask

  task automatic random_beat;
    byte unsigned scale;
    for (int r = 0; r < ROWS; r++) begin
      random_block(format_a, a_codes[r*CODES +: CODES], scale);
      a_scales[r*8 +: 8] = scale;
    end
    for (int i = 0; i < COLS; i++) begin
      random_block(format_b, b_codes[i*CODES +: CODES], scale);
      b_scales[i*8 +: 8] = scale;
    end
  endtask

  // The bench's own words with the definition: a known value of each function.
  task automatic check_definition;
    bit [31:0]    value;
    values_t      x = '0;
    codes_t       codes, ones = '0;
    byte unsigned scale;
    chandle       mxfp4 = mxref_dpi_format("mxfp4"), absent;
    string        reason;
    if (mxref_dpi_decode(mxfp4, 8'hF, value) != 0 || value != 32'hC0C00000)  // -6
      $fatal(1, "decode gives %h", value);
    x[31:0] = 32'h40A00000;  // 5, of which the largest of the block makes 4 under scale 1
    if (mxref_dpi_quantize_block("mxfp4", "floor", "rne", "1", 1, x, codes, scale) != 0 ||
        codes[7:0] != 8'h6 || scale != 8'd127)
      $fatal(1, "quantize_block gives %h under %0d", codes[7:0], scale);
    for (int i = 0; i < 32; i++) ones[i*8 +: 8] = 8'h2;
    if (mxref_dpi_block_step(mxref_dpi_datapath("blockwise"), mxfp4, mxfp4, 32, ones, ones, 8'd128,
                             8'd129, 0, value) != 0 || value != 32'h43800000)  // 8 · 32
      $fatal(1, "block_step gives %h", value);
    absent = mxref_dpi_format("mxfp5");
    reason = mxref_dpi_error();
    if (absent != null || reason == "") $fatal(1, "an unknown format is not refused");
    $display("the definition: mxref %s", mxref_dpi_version());
  endtask

  task automatic send_tile;
    automatic int blocks = 1 + $urandom_range(5);
    format_a = mx_pkg::FormatBits'($urandom_range(5));
    format_b = mx_pkg::FormatBits'($urandom_range(5));
    in_preload = $urandom_range(1) == 1;
    for (int i = 0; i < ROWS * COLS; i++) c[i*32 +: 32] = random_start();
    for (int b = 0; b < blocks; b++) begin
      automatic int waited = 0;
      in_first = b == 0;
      in_last = b == blocks - 1;
      in_lanes = 6'(in_last && $urandom_range(1) == 1 ? 1 + $urandom_range(BLOCK - 1) : BLOCK);
      random_beat();
      in_valid = 1'b1;
      while (!in_ready) begin
        waited++;
        if (waited > PATIENCE) $fatal(1, "the array takes no beat");
        @(negedge clk);
      end
      @(negedge clk);
      in_valid = 1'b0;
      repeat ($urandom_range(2)) @(negedge clk);
    end
  endtask

  initial begin
    automatic int waited = 0;
    rst_n = 1'b0;
    in_valid = 1'b0;
    tiles_out = 0;
    if ($value$plusargs("tiles=%d", tiles) == 0) tiles = 500;
    if (tiles < 1) $fatal(1, "+tiles=%0d: expected at least 1", tiles);
    if ($value$plusargs("fault=%d", fault_number) == 0) fault_number = 0;
    if (fault_number < 0 || fault_number >= 1 << mx_pkg::FaultBits)
      $fatal(1, "+fault=%0d: expected 0 to %0d", fault_number, (1 << mx_pkg::FaultBits) - 1);
    fault = fault_number[mx_pkg::FaultBits-1:0];
    check_definition();
    repeat (2) @(negedge clk);
    rst_n = 1'b1;
    for (int i = 0; i < tiles; i++) send_tile();
    while (tiles_out < tiles && failed == 0) begin
      waited++;
      if (waited > PATIENCE) $fatal(1, "%0d of %0d tiles came out", tiles_out, tiles);
      @(negedge clk);
    end
    if (failed != 0) $fatal(1, "%0d of %0d compared differ from the definition", failed, compared);
    $display("PASS %0d compared", compared);
    $finish;
  end
endmodule
