// The array with its assertions and functional coverage, and all its faults: the top of the bench.
// The arithmetic's coverage: mx_pe_corners.sv. Cycles in which an assertion failed are counted.
// Not synthesizable.
module mx_mac_array_checks #(
  parameter int ROWS = 2,
  parameter int COLS = 2,
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
  localparam int RowBits  = mx_width_pkg::bits_of_index(ROWS),
  localparam int Lanes    = mx_width_pkg::block_lanes(A_FORMATS),
  localparam int LaneBits = mx_width_pkg::lane_count_bits(A_FORMATS)
) (
  /*verilator coverage_off*/  // of the checks themselves only the cover properties count
  input  logic                                             clk_i,
  input  logic                                             rst_ni,
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
  output logic                                            out_valid_o,
  input  logic                                            out_ready_i,
  output logic [RowBits-1:0]                              out_row_o,
  output logic                                            out_last_o,
  output logic [COLS*32-1:0]                              out_data_o,
  output logic                                            trace_valid_o,
  output logic                                            trace_first_o,
  output logic                                            trace_last_o,
  output logic [ROWS*COLS*32-1:0]                         trace_acc_o,  // as binary32
  output logic [3:0]                                      trace_stages_o,
  input  logic [mx_pkg::FaultBits-1:0]                    fault_i,
  output logic [31:0]                                      failures_o  // cycles in which one failed
);

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
    .ROUNDING     (ROUNDING),
    .FAULTS       (1'b1)
  ) u_array (.*);

  initial failures_o = '0;

  logic in_waits, out_waits, between_tiles_q;  // no beat taken, or the last one was a tile's last
  assign in_waits  = in_valid_i && !in_ready_o;
  assign out_waits = out_valid_o && !out_ready_i;
  always_ff @(posedge clk_i) begin
    between_tiles_q <= !rst_ni || (in_valid_i && in_ready_o ? in_last_i : between_tiles_q);
  end

  // --- what the bench must keep
  in_valid_held : assert property (@(posedge clk_i) disable iff (!rst_ni)
    in_waits |=> in_valid_i)
  else failures_o <= failures_o + 1;
  in_payload_stable : assert property (@(posedge clk_i) disable iff (!rst_ni)
    in_waits |=> $stable({in_first_i, in_last_i, in_lanes_i, a_codes_i, a_scales_i, b_codes_i,
                        b_scales_i}))
  else failures_o <= failures_o + 1;
  in_start_stable : assert property (@(posedge clk_i) disable iff (!rst_ni)
    in_waits && in_first_i |=> $stable({in_preload_i, format_a_i, format_b_i, out_type_i})
                               && (!in_preload_i || $stable(c_i)))
  else failures_o <= failures_o + 1;
  in_first_starts_a_tile : assert property (@(posedge clk_i) disable iff (!rst_ni)
    in_valid_i |-> in_first_i == between_tiles_q)
  else failures_o <= failures_o + 1;

  // --- what the array must keep
  out_valid_held : assert property (@(posedge clk_i) disable iff (!rst_ni)
    out_waits |=> out_valid_o)
  else failures_o <= failures_o + 1;
  out_payload_stable : assert property (@(posedge clk_i) disable iff (!rst_ni)
    out_waits |=> !out_valid_o || $stable({out_row_o, out_last_o, out_data_o}))
  else failures_o <= failures_o + 1;
  rows_ascend : assert property (@(posedge clk_i) disable iff (!rst_ni)
    out_valid_o && out_ready_i && !out_last_o
    |=> out_valid_o && out_row_o == $past(out_row_o) + 1'b1)
  else failures_o <= failures_o + 1;
  last_is_the_last_row : assert property (@(posedge clk_i) disable iff (!rst_ni)
    out_valid_o |-> out_last_o == (out_row_o == RowBits'(ROWS - 1)))
  else failures_o <= failures_o + 1;

  // --- functional coverage: what happened in the handshake
  // (Points made by a generate loop would be counted as one.)
  localparam int PAIRS = mx_pkg::NumFormats * mx_pkg::NumFormats;
  logic stalled, beat_taken;
  logic [PAIRS-1:0] pairs_seen_q = '0;  // of formats
  // Those that meet: of the same kind of scale.
  function automatic logic [PAIRS-1:0] pairs_that_meet();
    for (int a = 0; a < mx_pkg::NumFormats; a++)
      for (int b = 0; b < mx_pkg::NumFormats; b++)
        pairs_that_meet[a*mx_pkg::NumFormats + b] =
            A_FORMATS[a] && B_FORMATS[b] && mx_pkg::Ue4m3Scale[a*8] == mx_pkg::Ue4m3Scale[b*8];
  endfunction
  logic [2:0] full;                     // term, sum, beat
  assign stalled    = u_array.term_valid && !u_array.acc_ready;
  assign beat_taken = in_valid_i && in_ready_o;
  assign full       = trace_stages_o[2:0];
  always_ff @(posedge clk_i) begin
    if (beat_taken && in_first_i)
      pairs_seen_q[int'(format_a_i) * mx_pkg::NumFormats + int'(format_b_i)] <= 1'b1;
  end

  /*verilator coverage_on*/
  every_pair_of_formats : cover property (@(posedge clk_i) 
                                                 pairs_seen_q == pairs_that_meet());
  preloaded          : cover property (@(posedge clk_i) beat_taken && in_first_i && in_preload_i);
  not_preloaded      : cover property (@(posedge clk_i) beat_taken && in_first_i && !in_preload_i);
  tile_of_one_block  : cover property (@(posedge clk_i) trace_valid_o && trace_first_o
                                                        && trace_last_o);
  tiles_back_to_back : cover property (@(posedge clk_i) trace_valid_o && trace_last_o
                                                        && u_array.acc_load);
  empty              : cover property (@(posedge clk_i) trace_stages_o == '0);
  beat_alone         : cover property (@(posedge clk_i) full == 3'b001);
  sum_alone          : cover property (@(posedge clk_i) full == 3'b010);
  term_alone         : cover property (@(posedge clk_i) full == 3'b100);
  full_and_moving    : cover property (@(posedge clk_i) full == 3'b111 && !stalled);
  draining_alone     : cover property (@(posedge clk_i) trace_stages_o == 4'b1000);
  stall_term         : cover property (@(posedge clk_i) stalled && full == 3'b100);
  stall_term_beat    : cover property (@(posedge clk_i) stalled && full == 3'b101);
  stall_term_sum     : cover property (@(posedge clk_i) stalled && full == 3'b110);
  stall_all          : cover property (@(posedge clk_i) stalled && full == 3'b111);
  beat_waits         : cover property (@(posedge clk_i) rst_ni && in_valid_i && !in_ready_o);
  beat_fills_bubble  : cover property (@(posedge clk_i) stalled && beat_taken);
  row_waits          : cover property (@(posedge clk_i) out_valid_o && !out_ready_i);
  last_row_waits     : cover property (@(posedge clk_i) out_valid_o && out_last_o && !out_ready_i);
  reset_while_busy   : cover property (@(posedge clk_i) !rst_ni && trace_stages_o != '0);
  short_block        : cover property (@(posedge clk_i) beat_taken && in_lanes_i < 6'd16);
  /*verilator coverage_off*/

  // --- functional coverage of what leaves, in the first column
  logic row_taken;
  assign row_taken = out_valid_o && out_ready_i;
  fp32_to_16_corners u_to_16_corners (
    .clk_i,
    .taken_i   (row_taken),
    .type_i    (u_array.gen_out[0].u_result.u_to_16.type_i),
    .nan_i     (u_array.gen_out[0].u_result.u_to_16.nan),
    .value_i   (u_array.gen_out[0].u_result.u_to_16.value_i[30:0]),
    .half_i    (u_array.gen_out[0].u_result.u_to_16.half[14:0]),
    .bf16_tie_i(u_array.gen_out[0].u_result.u_to_16.value_i[15:0] == 16'h8000),
    .bf16_up_i (u_array.gen_out[0].u_result.u_to_16.bf16_up),
    .f16_tie_i (u_array.gen_out[0].u_result.u_to_16.moved[12]
                && !u_array.gen_out[0].u_result.u_to_16.rest),
    .f16_up_i  (u_array.gen_out[0].u_result.u_to_16.f16_up)
  );
  if (DATAPATH == mx_pkg::Exact) begin : gen_exact
    mx_exact_round_corners u_round_corners (
      .clk_i,
      .taken_i        (row_taken),
      .result_i       (u_array.gen_out[0].u_result.value),
      .special_i      (&u_array.gen_out[0].u_result.value[30:23]
                       && !u_array.gen_out[0].u_result.gen_exact.u_round.u_round.u_round.overflow),
      .start_nan_i    (u_array.gen_out[0].u_result.gen_exact.u_round.start_nan),
      .start_special_i(u_array.gen_out[0].u_result.gen_exact.u_round.start_special),
      .start_subnormal_i(!u_array.gen_out[0].u_result.gen_exact.u_round.start_normal
                         && u_array.gen_out[0].u_result.gen_exact.u_round.start[22:0] != '0),
      .zero_i         (u_array.gen_out[0].u_result.gen_exact.u_round.magnitude == '0),
      .nonzero_i      (u_array.gen_out[0].u_result.gen_exact.u_round.nonzero),
      .tie_i          (u_array.gen_out[0].u_result.gen_exact.u_round.u_round.u_round.tie),
      .round_up_i     (u_array.gen_out[0].u_result.gen_exact.u_round.u_round.u_round.round_up),
      .to_normal_i    (u_array.gen_out[0].u_result.value[30:0] == 31'h0080_0000
                       && u_array.gen_out[0].u_result.gen_exact.u_round.u_round.subnormal),
      .rounded_i      (u_array.gen_out[0].u_result.gen_exact.u_round.u_round.magnitude),
      .overflow_i     (u_array.gen_out[0].u_result.gen_exact.u_round.u_round.u_round.overflow)
    );
  end

endmodule
