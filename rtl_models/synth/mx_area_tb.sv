// Drives mx_mac_array with prepared beats, as fast as it takes them, and checks the rows of results.
// The array, or the element in it, is a mapped netlist in place of the RTL; NETLIST, a macro, is
// its path in this bench.
//
//   +beats=FILE +beat_count=N   a beat a line for $readmemh, the fields of `beat` from the highest
//   +rows=FILE +row_count=N     a row of results a line: COLS binary32, column 0 lowest
//   +period=PS                  of the clock; even
//   +dump=FILE                  VCD of the netlist's nets, from the edge at which the first beat is
//                               driven to the one that takes the last row of results
// Prints PASS and the number of clock cycles that the dump covers, or each row that differs.
`timescale 1ps / 1ps
module mx_area_tb;
  parameter int ROWS = 1;
  parameter int COLS = 1;
  parameter logic [mx_pkg::NumFormats-1:0] A_FORMATS = mx_pkg::AllFormats;
  parameter logic [mx_pkg::NumFormats-1:0] B_FORMATS = mx_pkg::AllFormats;
  parameter int DATAPATH      = mx_pkg::Fused;
  parameter bit FTZ           = 1'b0;
  parameter int TERMS         = 32;
  parameter int GROUP         = 1;
  parameter int FRACTION_BITS = 25;
  parameter int E_ZERO        = -133;
  parameter int ROUNDING      = mx_pkg::Rz;

  localparam int LANES     = mx_width_pkg::block_lanes(A_FORMATS);
  localparam int CODES     = LANES * mx_pkg::CodeBits;
  localparam int WIDTH     = 20 + (ROWS + COLS) * (CODES + 8) + ROWS * COLS * 32;
  localparam int MAX_BEATS = 8192;
  localparam int MAX_ROWS  = 8192;

  logic [WIDTH-1:0]        beats[0:MAX_BEATS-1];
  logic [COLS*32-1:0]      rows[0:MAX_ROWS-1];
  logic [WIDTH-1:0]        beat;
  logic                    first, last, preload, unused;
  logic [7:0]              lanes;
  logic [3:0]              format_a, format_b;
  logic [ROWS*COLS*32-1:0] start;
  logic [ROWS*CODES-1:0]   a_codes;
  logic [ROWS*8-1:0]       a_scales;
  logic [COLS*CODES-1:0]   b_codes;
  logic [COLS*8-1:0]       b_scales;
  logic                    clk, rst_n, in_valid, in_ready, out_valid;
  logic [COLS*32-1:0]      out_data;
  integer                  period, beat_count, row_count, sent, taken, failed, cycles;
  reg [8*1024-1:0]         path;

  assign {first, last, preload, unused, lanes, format_a, format_b, start, a_codes, a_scales, b_codes,
          b_scales} = beat;

  mx_mac_array #(
    .ROWS         (ROWS),
    .COLS         (COLS),
    .A_FORMATS    (A_FORMATS),
    .B_FORMATS    (B_FORMATS),
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
    .in_first_i    (first),
    .in_last_i     (last),
    .in_preload_i  (preload),
    .in_lanes_i    (lanes[mx_width_pkg::lane_count_bits(A_FORMATS)-1:0]),
    .format_a_i    (format_a[mx_pkg::FormatBits-1:0]),
    .format_b_i    (format_b[mx_pkg::FormatBits-1:0]),
    .out_type_i    (2'b00),
    .a_codes_i     (a_codes),
    .a_scales_i    (a_scales),
    .b_codes_i     (b_codes),
    .b_scales_i    (b_scales),
    .c_i           (start),
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

  initial begin
    if ($value$plusargs("period=%d", period) == 0 ||
        $value$plusargs("beat_count=%d", beat_count) == 0 ||
        $value$plusargs("row_count=%d", row_count) == 0 || beat_count < 1 || row_count < 1 ||
        beat_count > MAX_BEATS || row_count > MAX_ROWS)
      $fatal(1, "give +period=PS, +beat_count=1..%0d and +row_count=1..%0d", MAX_BEATS, MAX_ROWS);
    if ($value$plusargs("beats=%s", path) == 0) $fatal(1, "give +beats=FILE");
    $readmemh(path, beats, 0, beat_count - 1);
    if ($value$plusargs("rows=%s", path) == 0) $fatal(1, "give +rows=FILE");
    $readmemh(path, rows, 0, row_count - 1);
    clk = 1'b0;
    forever #(period / 2) clk = !clk;
  end

  initial begin
    rst_n = 1'b0;
    in_valid = 1'b0;
    beat = '0;
    {sent, taken, failed, cycles} = '0;
    repeat (4) @(posedge clk);
    rst_n <= 1'b1;
    repeat (2) @(posedge clk);
    if ($value$plusargs("dump=%s", path) != 0) begin
      $dumpfile(path);
      $dumpvars(1, `NETLIST);
    end
    in_valid <= 1'b1;
    beat <= beats[0];
    while (taken < row_count && cycles < 64 * (beat_count + row_count)) begin
      @(posedge clk);
      cycles = cycles + 1;
      if (in_valid && in_ready) begin
        sent = sent + 1;
        in_valid <= sent < beat_count;
        if (sent < beat_count) beat <= beats[sent];
      end
      if (out_valid) begin
        if (out_data !== rows[taken]) begin
          failed = failed + 1;
          if (failed <= 5) $display("row %0d: expected %h, got %h", taken, rows[taken], out_data);
        end
        taken = taken + 1;
      end
    end
    if (failed != 0 || taken != row_count || sent != beat_count)
      $display("FAIL %0d of %0d rows differ, %0d came", failed, row_count, taken);
    else $display("PASS %0d rows in %0d cycles", row_count, cycles);
    $finish;
  end
endmodule
