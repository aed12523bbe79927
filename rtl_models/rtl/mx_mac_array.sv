// ROWS×COLS output-stationary array on the datapath that DATAPATH names: one block of the reduction
// a beat; `sequential`, and `aligned` with fewer TERMS than a block, take several cycles for it.
// Ports, handshake and every register cycle by cycle: rtl_models/README.md.
module mx_mac_array #(
  parameter int ROWS = 8,
  parameter int COLS = 8,
  // The formats of each side, a bit for each row of mx_pkg's table.
  parameter logic [mx_pkg::NumFormats-1:0] A_FORMATS = mx_pkg::AllFormats,
  parameter logic [mx_pkg::NumFormats-1:0] B_FORMATS = mx_pkg::AllFormats,
  parameter int DATAPATH      = mx_pkg::Fused,
  parameter bit FTZ           = 1'b0,
  // Of `aligned` (ARITHMETIC §4).
  parameter int TERMS         = 32,
  parameter int GROUP         = 1,
  parameter int FRACTION_BITS = 25,
  parameter int E_ZERO        = -133,
  parameter int ROUNDING      = mx_pkg::Rz,
  parameter bit FAULTS = 1'b0,
  localparam int RowBits   = mx_width_pkg::bits_of_index(ROWS),
  localparam int Lanes     = mx_width_pkg::block_lanes(A_FORMATS),
  localparam int LaneBits  = mx_width_pkg::lane_count_bits(A_FORMATS),
  localparam int StateBits = mx_width_pkg::state_bits(DATAPATH, A_FORMATS, B_FORMATS, Lanes)
) (
  input  logic clk_i,
  input  logic rst_ni,
  // One beat: a block of each row of A and of B.
  input  logic                                            in_valid_i,
  output logic                                            in_ready_o,
  input  logic                                            in_first_i,
  input  logic                                            in_last_i,
  input  logic                                            in_preload_i,
  input  logic [LaneBits-1:0]                             in_lanes_i,
  input  logic [mx_pkg::FormatBits-1:0]                   format_a_i,
  input  logic [mx_pkg::FormatBits-1:0]                   format_b_i,
  input  logic [1:0]                                      out_type_i,
  input  logic [ROWS*Lanes*mx_pkg::CodeBits-1:0]          a_codes_i,
  input  logic [ROWS*8-1:0]                               a_scales_i,
  input  logic [COLS*Lanes*mx_pkg::CodeBits-1:0]          b_codes_i,
  input  logic [COLS*8-1:0]                               b_scales_i,
  input  logic [ROWS*COLS*32-1:0]                         c_i,
  // One row of a finished tile.
  output logic                                            out_valid_o,
  input  logic                                            out_ready_i,
  output logic [RowBits-1:0]                              out_row_o,
  output logic                                            out_last_o,
  output logic [COLS*32-1:0]                              out_data_o,
  // What the last edge did to the accumulators, and which registers are full.
  output logic                                            trace_valid_o,
  output logic                                            trace_first_o,
  output logic                                            trace_last_o,
  output logic [ROWS*COLS*32-1:0]                         trace_acc_o,  // as binary32
  output logic [3:0]                                      trace_stages_o,
  // A planted fault's number, 0 = none; without FAULTS ignored.
  input  logic [mx_pkg::FaultBits-1:0]                    fault_i
);
  localparam int CODES      = Lanes * mx_pkg::CodeBits;
  localparam int STEP_LANES = mx_width_pkg::step_lanes(DATAPATH, Lanes, TERMS);
  localparam int STEP_BITS  = mx_width_pkg::bits_of_index(Lanes / STEP_LANES);
  localparam int BLOCK_BITS = mx_width_pkg::step_block_bits(A_FORMATS, DATAPATH, Lanes, TERMS);
  localparam logic [RowBits-1:0] LAST_ROW = RowBits'(ROWS - 1);

  logic beat_valid, sum_valid, term_valid, result_valid_q;
  logic sum_ready, term_ready, acc_ready;
  logic beat_load, sum_load, term_load, acc_load, result_load, row_taken;
  logic [RowBits-1:0] row_q;
  logic trace_valid_q, trace_first_q, trace_last_q;

  // What is known of a beat, and of a step: whether it is its tile's first and last, and
  // what becomes of the step's blocks.
  logic                  beat_first, beat_last;
  logic [1:0]            beat_type, sum_type, term_type, result_type_q;
  logic [LaneBits-1:0]   beat_lanes;
  logic                  step_first, step_last, step_full, step_partial;
  logic                  sum_first, sum_last, sum_full, sum_partial;
  logic                  term_first, term_last, term_full, term_partial;
  logic [BLOCK_BITS-1:0] step_block, sum_block, term_block;

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
  logic last_step;  // of the beat
  mx_stage #(
    .WIDTH(2 + 2 + LaneBits)
  ) u_beat (
    .clk_i,
    .rst_ni,
    .valid_i(in_valid_i),
    .flags_i({in_first_i, in_last_i, in_first_i ? out_type_i : beat_type, in_lanes_i}),
    .ready_o(in_ready_o),
    .load_o (beat_load),
    .valid_o(beat_valid),
    .flags_o({beat_first, beat_last, beat_type, beat_lanes}),
    .ready_i((sum_ready && last_step) || overwrites)
  );
  mx_stage #(
    .WIDTH(4 + 2 + BLOCK_BITS)
  ) u_sum (
    .clk_i,
    .rst_ni,
    .valid_i(beat_valid),
    .flags_i({step_first, step_last, step_full, step_partial, beat_type, step_block}),
    .ready_o(sum_ready),
    .load_o (sum_load),
    .valid_o(sum_valid),
    .flags_o({sum_first, sum_last, sum_full, sum_partial, sum_type, sum_block}),
    .ready_i(term_ready)
  );
  mx_stage #(
    .WIDTH(4 + 2 + BLOCK_BITS)
  ) u_term (
    .clk_i,
    .rst_ni,
    .valid_i(sum_valid),
    .flags_i({sum_first, sum_last, sum_full, sum_partial, sum_type, sum_block}),
    .ready_o(term_ready),
    .load_o (term_load),
    .valid_o(term_valid),
    .flags_o({term_first, term_last, term_full, term_partial, term_type, term_block}),
    .ready_i(!term_full || acc_ready)
  );
  assign acc_ready   = !(term_last && result_valid_q);
  assign acc_load    = term_valid && term_full && acc_ready;
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
    if (result_load) begin
      row_q         <= '0;
      result_type_q <= term_type;
    end else if (row_taken) begin
      row_q <= row_q + 1'b1;
    end
  end

  // --- beat → steps
  logic [mx_pkg::FormatBits-1:0] format_a_q, format_b_q;
  logic [STEP_BITS-1:0]          step;
  if (STEP_LANES < Lanes) begin : gen_steps
    // Several steps a block: as many as its lanes fill.
    logic [STEP_BITS-1:0] step_q;
    assign last_step = LaneBits'(step_q) * LaneBits'(STEP_LANES) + LaneBits'(STEP_LANES)
                     >= beat_lanes;
    always_ff @(posedge clk_i) begin
      if (!rst_ni || beat_load) step_q <= '0;
      else if (sum_load) step_q <= step_q + 1'b1;
    end
    assign step = step_q;
  end else begin : gen_one_step
    assign last_step = 1'b1;
    assign step      = '0;
    logic unused_lanes;
    assign unused_lanes = ^beat_lanes;
  end
  if (mx_width_pkg::step_blocks(A_FORMATS, DATAPATH, Lanes, TERMS) > 1) begin : gen_blocks
    // Several blocks a step: until it has its terms, or the tile ends.
    localparam int TERMS_BITS = $clog2(TERMS + 1);
    logic [BLOCK_BITS-1:0] block_q;
    logic [TERMS_BITS-1:0] terms_q, terms;
    logic                  first_q;
    assign terms        = terms_q + TERMS_BITS'(mx_pkg::BlockLength[format_a_q*8 +: 8]);
    assign step_partial = terms < TERMS_BITS'(TERMS);
    assign step_full    = !step_partial || beat_last;
    assign step_first   = block_q == '0 ? beat_first : first_q;
    assign step_block   = block_q;
    always_ff @(posedge clk_i) begin
      if (!rst_ni) begin
        block_q <= '0;
        terms_q <= '0;
      end else if (sum_load) begin
        block_q <= step_full ? '0 : block_q + 1'b1;
        terms_q <= step_full ? '0 : terms;
        first_q <= step_first;
      end
    end
  end else begin : gen_one_block
    assign step_partial = 1'b0;
    assign step_full    = 1'b1;
    assign step_first   = beat_first && step == '0;
    assign step_block   = '0;
  end
  assign step_last = beat_last && last_step;

  // --- beat → decode, once for each row and column: edges r, and then c
  always_ff @(posedge clk_i) begin
    if ((beat_load || gap_is_read) && in_first_i) begin
      format_a_q <= format_a_i;
      if (!(format_kept && beat_valid)) format_b_q <= format_b_i;
    end
  end
  for (genvar r = 0; r < ROWS; r++) begin : gen_a
    logic [STEP_LANES*mx_width_pkg::element_bits(A_FORMATS)-1:0] elements;
    logic                                                    nan;
    logic [7:0]                                              scale;
    mx_edge #(
      .FORMATS   (A_FORMATS),
      .LANES     (Lanes),
      .STEP_LANES(STEP_LANES),
      .FAULTS    (FAULTS)
    ) u_edge (
      .clk_i,
      .load_i    (beat_load),
      .codes_i   (a_codes_i[r*CODES +: CODES]),
      .lanes_i   (in_lanes_i),
      .scale_i   (a_scales_i[r*8 +: 8]),
      .format_i  (format_a_q),
      .step_i    (step),
      .fault_i,
      .elements_o(elements),
      .nan_o     (nan),
      .scale_o   (scale)
    );
  end
  for (genvar c = 0; c < COLS; c++) begin : gen_b
    logic [STEP_LANES*mx_width_pkg::element_bits(B_FORMATS)-1:0] elements;
    logic                                                    nan;
    logic [7:0]                                              scale;
    mx_edge #(
      .FORMATS   (B_FORMATS),
      .LANES     (Lanes),
      .STEP_LANES(STEP_LANES),
      .FAULTS    (FAULTS)
    ) u_edge (
      .clk_i,
      .load_i    (beat_load),
      .codes_i   (b_codes_i[c*CODES +: CODES]),
      .lanes_i   (in_lanes_i),
      .scale_i   (b_scales_i[c*8 +: 8]),
      .format_i  (format_b_q),
      .step_i    (step),
      .fault_i,
      .elements_o(elements),
      .nan_o     (nan),
      .scale_o   (scale)
    );
  end

  // --- the elements
  for (genvar r = 0; r < ROWS; r++) begin : gen_row
    // The row in the result buffer; the one that follows it.
    logic [COLS*StateBits-1:0] result_q, above, acc_next;
    for (genvar c = 0; c < COLS; c++) begin : gen_col
      logic [31:0]          beat_start_q;
      logic [StateBits-1:0] acc;
      always_ff @(posedge clk_i) begin
        if (beat_load && in_first_i) beat_start_q <= in_preload_i ? c_i[(r*COLS+c)*32 +: 32] : '0;
      end

      mx_pe #(
        .DATAPATH     (DATAPATH),
        .A_FORMATS    (A_FORMATS),
        .B_FORMATS    (B_FORMATS),
        .LANES        (Lanes),
        .FTZ          (FTZ),
        .TERMS        (TERMS),
        .GROUP        (GROUP),
        .FRACTION_BITS(FRACTION_BITS),
        .E_ZERO       (E_ZERO),
        .ROUNDING     (ROUNDING),
        .FAULTS       (FAULTS)
      ) u_pe (
        .clk_i,
        .a_elements_i (gen_a[r].elements),
        .a_nan_i      (gen_a[r].nan),
        .a_scale_i    (gen_a[r].scale),
        .a_format_i   (format_a_q),
        .b_elements_i (gen_b[c].elements),
        .b_nan_i      (gen_b[c].nan),
        .b_scale_i    (gen_b[c].scale),
        .b_format_i   (format_b_q),
        .start_i      (beat_start_q),
        .sum_load_i   (sum_load),
        .sum_first_i  (step_first),
        .term_load_i  (term_load),
        .term_first_i (sum_first),
        .term_block_i (sum_block),
        .acc_load_i   (acc_load),
        .acc_first_i  (acc_restarts),
        .acc_partial_i(term_partial),
        .fault_i,
        .acc_o        (acc),
        .acc_next_o   (acc_next[c*StateBits +: StateBits])
      );
      mx_result #(
        .DATAPATH (DATAPATH),
        .A_FORMATS(A_FORMATS),
        .B_FORMATS(B_FORMATS),
        .LANES    (Lanes),
        .FTZ      (FTZ)
      ) u_trace (
        .state_i (acc),
        .type_i  (2'd0),
        .fault_i,
        .result_o(trace_acc_o[(r*COLS+c)*32 +: 32])
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
    logic [StateBits-1:0] state;
    assign state = swapped ? gen_row[0].result_q[PARTNER*StateBits +: StateBits]
                           : gen_row[0].result_q[c*StateBits +: StateBits];
    mx_result #(
      .DATAPATH (DATAPATH),
      .A_FORMATS(A_FORMATS),
      .B_FORMATS(B_FORMATS),
      .LANES    (Lanes),
      .FTZ      (FTZ),
      .FAULTS   (FAULTS)
    ) u_result (
      .state_i (state),
      .type_i  (result_type_q),
      .fault_i,
      .result_o(out_data_o[c*32 +: 32])
    );
  end
  assign out_valid_o    = result_valid_q && !withdrawn;
  assign out_row_o      = row_q;
  assign out_last_o     = row_q == LAST_ROW;
  assign trace_valid_o  = trace_valid_q;
  assign trace_first_o  = trace_first_q;
  assign trace_last_o   = trace_last_q;
  assign trace_stages_o = {result_valid_q, term_valid, sum_valid, beat_valid};

  // The block that stands in the term register says nothing more.
  logic unused_block;
  assign unused_block = ^term_block;

  // --- what can be built (ARITHMETIC §4, §8). (Icarus 11 has no $fatal outside of a process.)
  if (ROWS < 1 || COLS < 1) begin : g_shape
    initial $fatal(1, "ROWS × COLS is %0d × %0d: both at least 1", ROWS, COLS);
  end
  if (!mx_width_pkg::formats_meet(A_FORMATS, B_FORMATS)) begin : g_formats
    initial $fatal(1, "A_FORMATS and B_FORMATS do not meet: blocks or scales of other kinds");
  end
  if (DATAPATH < mx_pkg::Fused || DATAPATH > mx_pkg::Aligned) begin : g_datapath
    initial $fatal(1, "DATAPATH is %0d: from %0d to %0d", DATAPATH, mx_pkg::Fused, mx_pkg::Aligned);
  end
  if (DATAPATH == mx_pkg::Aligned) begin : g_aligned
    if (TERMS < 1 || TERMS > 1024 || (TERMS % Lanes != 0 && Lanes % TERMS != 0)) begin : g_terms
      initial $fatal(1, "TERMS is %0d: a divisor or a multiple of %0d, 1024 at most", TERMS, Lanes);
    end
    if (GROUP < 1 || STEP_LANES % GROUP != 0) begin : g_group
      initial $fatal(1, "GROUP is %0d: a divisor of %0d", GROUP, STEP_LANES);
    end
    if (FRACTION_BITS < 1 || FRACTION_BITS > 44) begin : g_fraction
      initial $fatal(1, "FRACTION_BITS is %0d: from 1 to 44", FRACTION_BITS);
    end
    if (E_ZERO < -1024 || E_ZERO > 1024) begin : g_e_zero
      initial $fatal(1, "E_ZERO is %0d: from -1024 to 1024", E_ZERO);
    end
    if (ROUNDING < mx_pkg::Rz || ROUNDING > mx_pkg::Rne) begin : g_rounding
      initial $fatal(1, "ROUNDING is %0d: from %0d to %0d", ROUNDING, mx_pkg::Rz, mx_pkg::Rne);
    end
  end
endmodule
