// Golden vectors against the RTL in a simulator alone (Icarus, Verilator): each vector is a tile of
// one block in an array of one element, its accumulator preloaded.
//
//   mxref vectors --format mxfp4 --format-b mxfp8_e4m3 --kind random --count 1000 --as memh --out v
//   cd rtl_models/rtl
//   iverilog -g2012 -s mx_vectors_tb -o tb -f mx_mac_array.f ../cosim/mx_vectors_tb.sv
//   vvp tb +vectors=v/vectors.memh +count=1000 +format_a=0 +format_b=3
//
// format_a, format_b: rows of mx_pkg's table of formats (0 mxfp4, 3 mxfp8_e4m3). DATAPATH and what
// follows it: those of the vectors. Prints PASS, or each vector that failed; a file of fewer vectors than +count is an error.
module mx_vectors_tb #(
  parameter int DATAPATH      = mx_pkg::Fused,
  parameter bit FTZ           = 1'b0,
  parameter int TERMS         = 32,
  parameter int GROUP         = 1,
  parameter int FRACTION_BITS = 25,
  parameter int E_ZERO        = -133,
  parameter int ROUNDING      = mx_pkg::Rz
);
  localparam int MAX_COUNT = 131072;  // all pairs of codes and of scales of 8 bits
  localparam int PATIENCE = 1000;  // cycles: what waits longer never comes
  // A vector is one word: codes_a, codes_b, scale_a, scale_b, acc_in, acc_out, the last lowest.
  localparam int CODES = 80;
  localparam int LANES = mx_width_pkg::block_lanes(mx_pkg::AllFormats);
  localparam int BYTES = LANES * mx_pkg::CodeBits;
  localparam int WIDTH = CODES + 2 * BYTES;

  logic [WIDTH-1:0] vectors[0:MAX_COUNT-1];
  logic [WIDTH-1:0] vector, codes;
  logic [BYTES-1:0] a_codes, b_codes;

  logic        clk, rst_n, in_valid, in_ready, out_valid;
  logic [31:0] out_data;
  int          format_a, format_b, bits_a, bits_b, block, count, failed;
  reg [8*256-1:0] path;

  // verilator lint_off PINCONNECTEMPTY
  mx_mac_array #(
    .ROWS         (1),
    .COLS         (1),
    .DATAPATH     (DATAPATH),
    .FTZ          (FTZ),
    .TERMS        (TERMS),
    .GROUP        (GROUP),
    .FRACTION_BITS(FRACTION_BITS),
    .E_ZERO       (E_ZERO),
    .ROUNDING     (ROUNDING)
  ) u_array (
    .clk_i         (clk),
    .rst_ni        (rst_n),
    .in_valid_i    (in_valid),
    .in_ready_o    (in_ready),
    .in_first_i    (1'b1),
    .in_last_i     (1'b1),
    .in_preload_i  (1'b1),
    .in_lanes_i    (block[$clog2(LANES+1)-1:0]),
    .format_a_i    (format_a[mx_pkg::FormatBits-1:0]),
    .format_b_i    (format_b[mx_pkg::FormatBits-1:0]),
    .out_type_i    (2'd0),
    .a_codes_i     (a_codes),
    .a_scales_i    (vector[72 +: 8]),
    .b_codes_i     (b_codes),
    .b_scales_i    (vector[64 +: 8]),
    .c_i           (vector[32 +: 32]),
    .out_valid_o   (out_valid),
    .out_ready_i   (1'b1),
    .out_row_o     (),
    .out_last_o    (),
    .out_data_o    (out_data),
    .trace_valid_o (),
    .trace_first_o (),
    .trace_last_o  (),
    .trace_acc_o   (),
    .trace_stages_o(),
    .fault_i       (mx_pkg::FaultBits'(0))
  );

  function automatic int code_bits(input int format);
    code_bits = 1 + 32'(mx_pkg::ExponentBits[format*8 +: 8]) +
                32'(mx_pkg::MantissaBits[format*8 +: 8]);
  endfunction

  // Bits above a format's are ignored by the array: what follows a code in the word may stay there.
  task automatic take_apart;
    codes = vector >> CODES;
    for (int i = 0; i < block; i++) begin
      b_codes[i*8 +: 8] = codes[7:0];
      codes = codes >> bits_b;
    end
    for (int i = 0; i < block; i++) begin
      a_codes[i*8 +: 8] = codes[7:0];
      codes = codes >> bits_a;
    end
  endtask

  // For out_valid_o or in_ready_o; an x is no 1.
  task automatic await(input bit out, input int number);
    for (int waited = 0; (out ? out_valid : in_ready) !== 1'b1; waited++) begin
      if (waited == PATIENCE)
        $fatal(1, "vector %0d: the array's %0s is not 1 for %0d cycles", number,
               out ? "out_valid_o" : "in_ready_o", PATIENCE);
      @(negedge clk);
    end
  endtask

  initial begin
    clk = 1'b0;
    forever #1 clk = !clk;
  end

  initial begin
    rst_n = 1'b0;
    in_valid = 1'b0;
    failed = 0;
    if ($value$plusargs("vectors=%s", path) == 0 || $value$plusargs("count=%d", count) == 0 ||
        $value$plusargs("format_a=%d", format_a) == 0 ||
        $value$plusargs("format_b=%d", format_b) == 0 || count < 1 || count > MAX_COUNT ||
        format_a < 0 || format_a >= mx_pkg::NumFormats || format_b < 0 || format_b >= mx_pkg::NumFormats)
      $fatal(1, "give +vectors=FILE.memh +count=1..%0d +format_a=ROW +format_b=ROW, rows 0..%0d",
             MAX_COUNT, mx_pkg::NumFormats - 1);
    bits_a = code_bits(format_a);
    bits_b = code_bits(format_b);
    block = 32'(mx_pkg::BlockLength[format_a*8 +: 8]);
    // What the file does not have stays all ones, and no result is: a NaN is 7fc00000.
    for (int i = 0; i < count; i++) vectors[i] = '1;
    $readmemh(path, vectors, 0, count - 1);
    repeat (2) @(negedge clk);
    rst_n = 1'b1;
    for (int i = 0; i < count; i++) begin
      vector = vectors[i];
      if (&vector[31:0] !== 1'b0) $fatal(1, "the file has no vector %0d, or its acc_out is no number", i);
      take_apart;
      in_valid = 1'b1;
      await(1'b0, i);
      @(negedge clk);
      in_valid = 1'b0;
      await(1'b1, i);
      if (out_data !== vector[31:0]) begin
        failed = failed + 1;
        $display("vector %0d: %h: expected %h, got %h", i, vector, vector[31:0], out_data);
      end
    end
    if (failed != 0) $fatal(1, "%0d of %0d vectors failed", failed, count);
    $display("PASS %0d vectors", count);
    $finish;
  end
endmodule
