// ROWS×COLS output-stationary array, datapath `fused`: one block of the reduction a beat, one
// rounding a block. Ports, handshake and every register cycle by cycle: rtl_models/README.md.
module mx_mac_array #(
  parameter int ROWS = 8,
  parameter int COLS = 8,
  parameter bit FAULTS = 1'b0,
  localparam int RowBits = ROWS > 1 ? $clog2(ROWS) : 1
) (
  input  logic clk_i,
  input  logic rst_ni,
  // One beat: a block of each row of A and of B.
  input  logic                                             in_valid_i,
  output logic                                             in_ready_o,
  input  logic                                             in_first_i,
  input  logic                                             in_last_i,
  input  logic                                             in_preload_i,
  input  logic [mx_pkg::FormatBits-1:0]                    format_a_i,
  input  logic [mx_pkg::FormatBits-1:0]                    format_b_i,
  input  logic [ROWS*mx_pkg::Block*mx_pkg::CodeBits-1:0]   a_codes_i,
  input  logic [ROWS*8-1:0]                                a_scales_i,
  input  logic [COLS*mx_pkg::Block*mx_pkg::CodeBits-1:0]   b_codes_i,
  input  logic [COLS*8-1:0]                                b_scales_i,
  input  logic [ROWS*COLS*32-1:0]                          c_i,
  // One row of a finished tile.
  output logic                                             out_valid_o,
  input  logic                                             out_ready_i,
  output logic [RowBits-1:0]                               out_row_o,
  output logic                                             out_last_o,
  output logic [COLS*32-1:0]                               out_data_o,
  // What the last edge did to the accumulators, and which registers are full.
  output logic                                             trace_valid_o,
  output logic                                             trace_first_o,
  output logic                                             trace_last_o,
  output logic [ROWS*COLS*32-1:0]                          trace_acc_o,
  output logic [3:0]                                       trace_stages_o,
  // A planted fault's number, 0 = none; without FAULTS ignored.
  input  logic [mx_pkg::FaultBits-1:0]                     fault_i
);
  localparam int SIGNIFICANDS = mx_pkg::Block * mx_pkg::SignificandBits;
  localparam int SHIFTS       = mx_pkg::Block * mx_pkg::ShiftBits;
  localparam int CODES        = mx_pkg::Block * mx_pkg::CodeBits;
  localparam logic [RowBits-1:0] LAST_ROW = RowBits'(ROWS - 1);

  logic beat_valid, sum_valid, term_valid, result_valid_q;
  logic sum_ready, term_ready, acc_ready;
  logic beat_load, sum_load, term_load, acc_load, result_load, row_taken;
  logic beat_first, beat_last, sum_first, sum_last, term_first, term_last;
  logic [RowBits-1:0] row_q;
  logic trace_valid_q, trace_first_q, trace_last_q;

  // --- planted faults
  logic overwrites, withdrawn, format_kept, gap_is_read, repeats, swapped, acc_restarts;
  logic waited_q;  // a row of results was not taken in the last cycle
  always_ff @(posedge clk_i) waited_q <= out_valid_o && !out_ready_i;
  assign overwrites  = FAULTS && fault_i == mx_pkg::FaultInputOverwritten && beat_last;
  assign withdrawn   = FAULTS && fault_i == mx_pkg::FaultValidWithdrawn && waited_q &&
                       row_q == LAST_ROW;
  assign format_kept = FAULTS && fault_i == mx_pkg::FaultFormatKept;
  assign gap_is_read = FAULTS && fault_i == mx_pkg::FaultFormatOfAGap && in_ready_o;
  assign repeats     = FAULTS && fault_i == mx_pkg::FaultRowRepeated && waited_q;
  assign swapped     = FAULTS && fault_i == mx_pkg::FaultColumnsSwapped && row_q == LAST_ROW;
  assign acc_restarts = term_first &&
                        !(FAULTS && fault_i == mx_pkg::FaultAccNotRestarted && term_last);

  // --- handshake: a stage moves on when the next can take it; a finished tile needs the result
  // buffer empty
  mx_stage u_beat (
    .clk_i,
    .rst_ni,
    .valid_i(in_valid_i),
    .first_i(in_first_i),
    .last_i (in_last_i),
    .ready_o(in_ready_o),
    .load_o (beat_load),
    .valid_o(beat_valid),
    .first_o(beat_first),
    .last_o (beat_last),
    .ready_i(sum_ready || overwrites)
  );
  mx_stage u_sum (
    .clk_i,
    .rst_ni,
    .valid_i(beat_valid),
    .first_i(beat_first),
    .last_i (beat_last),
    .ready_o(sum_ready),
    .load_o (sum_load),
    .valid_o(sum_valid),
    .first_o(sum_first),
    .last_o (sum_last),
    .ready_i(term_ready)
  );
  mx_stage u_term (
    .clk_i,
    .rst_ni,
    .valid_i(sum_valid),
    .first_i(sum_first),
    .last_i (sum_last),
    .ready_o(term_ready),
    .load_o (term_load),
    .valid_o(term_valid),
    .first_o(term_first),
    .last_o (term_last),
    .ready_i(acc_ready)
  );
  assign acc_ready   = !(term_last && result_valid_q);
  assign acc_load    = term_valid && acc_ready;
  assign result_load = acc_load && term_last;
  assign row_taken   = out_valid_o && out_ready_i;

  always_ff @(posedge clk_i) begin
    trace_valid_q <= rst_ni && acc_load;
    if (acc_load) begin
      trace_first_q <= term_first;
      trace_last_q  <= term_last;
    end
    if (!rst_ni) result_valid_q <= 1'b0;
    else if (result_load) result_valid_q <= 1'b1;
    else if (row_taken && row_q == LAST_ROW) result_valid_q <= 1'b0;
    if (result_load) row_q <= '0;
    else if (row_taken) row_q <= row_q + 1'b1;
  end

  // --- beat → decode, once for each row and column: edges r and ROWS+c
  logic [mx_pkg::FormatBits-1:0] format_a_q, format_b_q;
  logic signed [7:0]             a_unit_log2, b_unit_log2;
  always_ff @(posedge clk_i) begin
    if ((beat_load || gap_is_read) && in_first_i) begin
      format_a_q <= format_a_i;
      if (!(format_kept && beat_valid)) format_b_q <= format_b_i;
    end
  end
  assign a_unit_log2 = mx_pkg::UnitLog2[format_a_q*8 +: 8];
  assign b_unit_log2 = mx_pkg::UnitLog2[format_b_q*8 +: 8];

  logic [(ROWS+COLS)*CODES-1:0] codes;
  logic [(ROWS+COLS)*8-1:0]     scales;
  assign codes  = {b_codes_i, a_codes_i};
  assign scales = {b_scales_i, a_scales_i};
  for (genvar e = 0; e < ROWS + COLS; e++) begin : gen_edge
    logic [mx_pkg::Block-1:0] negative, nonzero;
    logic [SIGNIFICANDS-1:0]  significand;
    logic [SHIFTS-1:0]        shift;
    logic                     nan;
    logic [7:0]               scale;
    // A net of its own: as an expression in the port, Icarus reads X.
    logic [mx_pkg::FormatBits-1:0] format;
    assign format = e < ROWS ? format_a_q : format_b_q;
    mx_edge #(
      .FAULTS(FAULTS)
    ) u_edge (
      .clk_i,
      .load_i       (beat_load),
      .format_i     (format),
      .codes_i      (codes[e*CODES +: CODES]),
      .scale_i      (scales[e*8 +: 8]),
      .fault_i,
      .negative_o   (negative),
      .significand_o(significand),
      .shift_o      (shift),
      .nonzero_o    (nonzero),
      .nan_o        (nan),
      .scale_o      (scale)
    );
  end

  // --- the elements
  for (genvar r = 0; r < ROWS; r++) begin : gen_row
    logic [COLS*32-1:0] result_q, above;  // the row in the result buffer; the one that follows it
    logic [COLS*32-1:0] acc_next;
    for (genvar c = 0; c < COLS; c++) begin : gen_col
      logic [31:0] beat_start_q;
      always_ff @(posedge clk_i) begin
        if (beat_load && in_first_i) beat_start_q <= in_preload_i ? c_i[(r*COLS+c)*32 +: 32] : '0;
      end

      mx_pe #(
        .FAULTS(FAULTS)
      ) u_pe (
        .clk_i,
        .a_negative_i   (gen_edge[r].negative),
        .a_significand_i(gen_edge[r].significand),
        .a_shift_i      (gen_edge[r].shift),
        .a_nonzero_i    (gen_edge[r].nonzero),
        .a_nan_i        (gen_edge[r].nan),
        .a_scale_i      (gen_edge[r].scale),
        .a_unit_log2_i  (a_unit_log2),
        .b_negative_i   (gen_edge[ROWS+c].negative),
        .b_significand_i(gen_edge[ROWS+c].significand),
        .b_shift_i      (gen_edge[ROWS+c].shift),
        .b_nonzero_i    (gen_edge[ROWS+c].nonzero),
        .b_nan_i        (gen_edge[ROWS+c].nan),
        .b_scale_i      (gen_edge[ROWS+c].scale),
        .b_unit_log2_i  (b_unit_log2),
        .start_i        (beat_start_q),
        .sum_load_i     (sum_load),
        .sum_first_i    (beat_first),
        .term_load_i    (term_load),
        .term_first_i   (sum_first),
        .acc_load_i     (acc_load),
        .acc_first_i    (acc_restarts),
        .fault_i,
        .acc_o          (trace_acc_o[(r*COLS+c)*32 +: 32]),
        .acc_next_o     (acc_next[c*32 +: 32])
      );
    end

    // --- result buffer: rows move down as row 0 leaves
    if (r == ROWS - 1) begin : gen_top
      assign above = result_q;
    end else begin : gen_below
      assign above = gen_row[r+1].result_q;
    end
    always_ff @(posedge clk_i) begin
      if (result_load) result_q <= acc_next;
      else if (row_taken && !repeats) result_q <= above;
    end
  end

  for (genvar c = 0; c < COLS; c++) begin : gen_out
    localparam int PARTNER = c < 2 && COLS > 1 ? 1 - c : c;  // of the fault
    assign out_data_o[c*32 +: 32] = swapped ? gen_row[0].result_q[PARTNER*32 +: 32]
                                            : gen_row[0].result_q[c*32 +: 32];
  end
  assign out_valid_o    = result_valid_q && !withdrawn;
  assign out_row_o      = row_q;
  assign out_last_o     = row_q == LAST_ROW;
  assign trace_valid_o  = trace_valid_q;
  assign trace_first_o  = trace_first_q;
  assign trace_last_o   = trace_last_q;
  assign trace_stages_o = {result_valid_q, term_valid, sum_valid, beat_valid};
endmodule
