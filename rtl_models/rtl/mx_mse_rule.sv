// The scale rule `mse`: of the scales one below `floor`, at it and one above, the one whose codes
// have the least sum of squared errors, the smaller one where two are equal. The block's codes are
// tried with them in its cycles 0, 1 and 2; the choice stands from cycle 5 on. The sums are exact.
module mx_mse_rule #(
  parameter logic [mx_pkg::NumFormats-1:0] FORMATS = mx_pkg::AllFormats,
  parameter int LANES = 32,
  parameter bit FAULTS = 1'b0,
  localparam int GainBits  = mx_quantize_pkg::gain_bits(FORMATS),
  localparam int ShiftBits = mx_width_pkg::shift_bits(FORMATS)
) (
  input  logic                                              clk_i,
  input  logic                                              searches_i,  // a block is there
  input  logic [3:0]                                        cycle_i,     // of the block
  input  logic signed [mx_quantize_pkg::DifferenceBits-1:0] exponent_i,  // of `floor`
  output logic signed [mx_quantize_pkg::DifferenceBits-1:0] exponent_o,  // tried, or chosen
  // Of the codes tried: what each gains (mx_mse_gain), and its binade.
  input  logic [LANES*GainBits-1:0]                         gains_i,
  input  logic [LANES*ShiftBits-1:0]                        binades_i,
  input  logic [mx_pkg::QuantizeFaultBits-1:0]              fault_i,
  output logic                                              tie_o  // for coverage: a tie was met
);
  localparam int BITS     = mx_quantize_pkg::DifferenceBits;
  localparam int SUM_BITS = mx_quantize_pkg::gain_sum_bits(FORMATS);

  logic larger_on_tie, last_lane_lost;  // planted faults
  assign larger_on_tie  = FAULTS && fault_i == mx_pkg::QuantizeFaultMseTie;
  assign last_lane_lost = FAULTS && fault_i == mx_pkg::QuantizeFaultMseLastLane;

  // --- cycle n: the codes of trial n; n + 1: their sum; n + 2: the comparison
  logic [LANES*GainBits-1:0]  gains_q;
  logic [LANES*ShiftBits-1:0] binades_q;
  logic [SUM_BITS-1:0]        sum_q;
  always_ff @(posedge clk_i) begin
    if (searches_i && cycle_i <= 4'd2) begin
      gains_q   <= gains_i;
      binades_q <= binades_i;
    end
    if (searches_i) sum_q <= gen_lane[LANES-1].partial;
  end
  for (genvar i = 0; i < LANES; i++) begin : gen_lane
    logic [SUM_BITS-1:0] gain, partial;  // of this lane; of the lanes up to this one
    assign gain = SUM_BITS'(gains_q[i*GainBits +: GainBits])
                  << {binades_q[i*ShiftBits +: ShiftBits], 1'b0};
    if (i == 0) begin : gen_first
      assign partial = gain;
    end else if (i == LANES - 1) begin : gen_last
      assign partial = gen_lane[i-1].partial + (last_lane_lost ? '0 : gain);
    end else begin : gen_next
      assign partial = gen_lane[i-1].partial + gain;
    end
  end

  // --- the comparison: places by which a trial's scale, clamped, lies above the smallest one's
  logic [1:0]             trial, chosen_q;
  logic signed [BITS-1:0] smallest, tried;
  logic [1:0]             places;
  logic [SUM_BITS-1:0]    best_q, gained;
  logic                   compares, better;
  assign trial    = cycle_i[1:0] - 2'd2;
  assign compares = cycle_i >= 4'd2 && cycle_i <= 4'd4;
  mx_scale_clamp u_smallest (
    .exponent_i(exponent_i - BITS'(1)),
    .exponent_o(smallest)
  );
  mx_scale_clamp u_tried (
    .exponent_i(exponent_i + BITS'(trial) - BITS'(1)),
    .exponent_o(tried)
  );
  assign places = tried[1:0] - smallest[1:0];
  logic unused_high;
  assign unused_high = ^{tried[BITS-1:2], smallest[BITS-1:2]};
  // In units of the smallest scale's square: no gain is above the sum of all X² in these, for which
  // the width is made.
  assign gained = sum_q << {places, 1'b0};
  assign better = trial == '0 || gained > best_q || (larger_on_tie && gained == best_q);
  assign tie_o  = compares && trial != '0 && gained == best_q && places != '0;
  always_ff @(posedge clk_i) begin
    if (compares && better) begin
      best_q   <= gained;
      chosen_q <= trial;
    end
  end

  assign exponent_o = exponent_i - BITS'(1)
                    + (cycle_i <= 4'd2 ? BITS'(cycle_i) : BITS'(chosen_q));

endmodule
