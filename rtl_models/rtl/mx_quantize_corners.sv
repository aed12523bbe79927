// Functional coverage of the quantizer's blocks, bound to each quantizer in the builds that list
// this file; that of its lanes: mx_quantize_lane_corners.sv. For all formats, with the search and
// the random words. Not synthesizable.
module mx_quantize_corners #(
  parameter int LANES = 32
) (
  /*verilator coverage_off*/  // only the cover properties count
  input logic                                 clk_i,
  input logic                                 rst_ni,
  // the handshake
  input logic                                 in_valid_i,
  input logic                                 in_ready_i,
  input logic                                 out_valid_i,
  input logic                                 out_ready_i,
  input logic [3:0]                           full_i,       // block, maximum, codes, result
  input logic                                 in_type_i,
  input logic [$clog2(LANES+1)-1:0]           in_lanes_i,
  // maximum → scale
  input logic                                 code_load_i,
  input logic                                 nan_i,
  input logic                                 zero_i,
  input logic                                 divides_i,
  input logic [30:0]                          max_i,
  input logic [mx_pkg::FormatBits-1:0]        format_i,
  input logic [mx_pkg::RoundBits-1:0]         rounding_i,
  input logic [mx_pkg::RuleBits-1:0]          rule_i,
  input logic                                 rule_up_i,
  input logic signed [9:0]                    exponent_i,   // by the rule, before it is clamped
  input logic                                 at_largest_i, // the maximum is the largest number
  input logic                                 carries_i,    // as `even` rounds it
  input logic [7:0]                           nearest_i,    // ue4m3 before it is at least 1
  input logic                                 scale_beyond_i,
  input logic                                 prescale_i,
  input logic                                 stochastic_i,
  input logic [63:0]                          index_i,
  // codes
  input logic                                 done_i,       // the block's last cycle
  input logic                                 result_ready_i,
  input logic                                 searches_i,
  input logic [1:0]                           chosen_i,     // by the search
  input logic                                 search_tie_i,
  input logic                                 tries_i,
  input logic signed [9:0]                    tried_i       // before it is clamped
);
  localparam int MX_FORMATS = mx_pkg::NumFormats - $countones(mx_pkg::TensorScaled);
  localparam int RULES      = 5;

  logic mx, tensor_scaled, taken, last_carries;
  logic [34:0] after_last;  // behind the block's lanes, of the index that a counter's low word has
  assign mx            = code_load_i && !nan_i && !zero_i && !divides_i;
  assign tensor_scaled = code_load_i && !nan_i && !zero_i && divides_i;
  assign taken         = in_valid_i && in_ready_i && rst_ni;
  assign after_last    = {1'b0, index_i[33:0]} + 35'(LANES);
  assign last_carries  = after_last[34] && after_last[33:0] != '0;
  // Formats with rules and with roundings.
  logic [2**(mx_pkg::FormatBits+mx_pkg::RuleBits)-1:0]  rules_q = '0;
  logic [2**(mx_pkg::FormatBits+mx_pkg::RoundBits)-1:0] roundings_q = '0;
  always_ff @(posedge clk_i) begin
    if (mx) rules_q[{format_i, rule_i}] <= 1'b1;
    if (mx || tensor_scaled) roundings_q[{format_i, rounding_i}] <= 1'b1;
  end
  /*verilator coverage_on*/

  every_rule       : cover property (@(posedge clk_i) $countones(rules_q) == MX_FORMATS * RULES);
  every_rounding   : cover property (@(posedge clk_i)
                                     $countones(roundings_q) == mx_pkg::NumFormats * 4);
  short_block      : cover property (@(posedge clk_i) taken && in_lanes_i < 8);
  one_element      : cover property (@(posedge clk_i) taken && in_lanes_i == 1);
  bfloat16         : cover property (@(posedge clk_i) taken && in_type_i);
  nan_block        : cover property (@(posedge clk_i) code_load_i && nan_i);
  inf_block        : cover property (@(posedge clk_i) code_load_i && max_i == 31'h7f80_0000);
  zero_block       : cover property (@(posedge clk_i) code_load_i && zero_i);
  subnormal_max    : cover property (@(posedge clk_i) mx && max_i[30:23] == '0);
  least_max        : cover property (@(posedge clk_i) mx && max_i == 31'd1);
  largest_max      : cover property (@(posedge clk_i) mx && max_i == 31'h7f7f_ffff);
  ceil_stays       : cover property (@(posedge clk_i) mx && rule_i == mx_pkg::RuleCeil
                                                      && !rule_up_i);
  ceil_up          : cover property (@(posedge clk_i) mx && rule_i == mx_pkg::RuleCeil
                                                      && rule_up_i);
  even_up          : cover property (@(posedge clk_i) mx && rule_i == mx_pkg::RuleEven
                                                      && rule_up_i);
  even_other_rule  : cover property (@(posedge clk_i) mx && rule_i == mx_pkg::RuleFloor
                                                      && carries_i);
  roundup_up       : cover property (@(posedge clk_i) mx && rule_i == mx_pkg::RuleRoundup
                                                      && rule_up_i);
  roundup_at_max   : cover property (@(posedge clk_i) mx && rule_i == mx_pkg::RuleRoundup
                                                      && at_largest_i);
  clamped_below    : cover property (@(posedge clk_i) mx && exponent_i < -127);
  at_least_scale   : cover property (@(posedge clk_i) mx && exponent_i == -127);
  largest_scale    : cover property (@(posedge clk_i) mx && exponent_i == 127);
  clamped_above    : cover property (@(posedge clk_i) mx && exponent_i > 127);
  prescaled        : cover property (@(posedge clk_i) mx && prescale_i);
  ue4m3_zero       : cover property (@(posedge clk_i) tensor_scaled && nearest_i == '0);
  ue4m3_least      : cover property (@(posedge clk_i) tensor_scaled && nearest_i == 8'h01);
  ue4m3_subnormal  : cover property (@(posedge clk_i) tensor_scaled && nearest_i < 8'h08);
  ue4m3_largest    : cover property (@(posedge clk_i) tensor_scaled && nearest_i == 8'h7e);
  ue4m3_saturates  : cover property (@(posedge clk_i) tensor_scaled && scale_beyond_i);
  ue4m3_random     : cover property (@(posedge clk_i) tensor_scaled && stochastic_i);
  words_unaligned  : cover property (@(posedge clk_i) code_load_i && stochastic_i
                                                      && index_i[1:0] != '0);
  counter_carries  : cover property (@(posedge clk_i) code_load_i && stochastic_i
                                                      && last_carries);
  index_wraps      : cover property (@(posedge clk_i) code_load_i && stochastic_i
                                                      && index_i > ~64'(LANES));
  search_below     : cover property (@(posedge clk_i) done_i && searches_i && chosen_i == 2'd0);
  search_floor     : cover property (@(posedge clk_i) done_i && searches_i && chosen_i == 2'd1);
  search_above     : cover property (@(posedge clk_i) done_i && searches_i && chosen_i == 2'd2);
  search_tie       : cover property (@(posedge clk_i) searches_i && search_tie_i);
  search_clamped_below : cover property (@(posedge clk_i) tries_i && tried_i < -127);
  search_clamped_above : cover property (@(posedge clk_i) tries_i && tried_i > 127);

  all_full         : cover property (@(posedge clk_i) &full_i && in_ready_i);
  empty            : cover property (@(posedge clk_i) full_i == '0 && !out_valid_i);
  result_waits     : cover property (@(posedge clk_i) out_valid_i && !out_ready_i);
  codes_wait       : cover property (@(posedge clk_i) done_i && !result_ready_i);
  block_waits      : cover property (@(posedge clk_i) in_valid_i && !in_ready_i);
  fills_a_bubble   : cover property (@(posedge clk_i) taken && !result_ready_i);
  reset_while_busy : cover property (@(posedge clk_i) !rst_ni && full_i != '0);
endmodule

bind mx_quantize mx_quantize_corners #(
  .LANES(Lanes)
) u_corners (
  .clk_i         (clk_i),
  .rst_ni        (rst_ni),
  .in_valid_i    (in_valid_i),
  .in_ready_i    (in_ready_o),
  .out_valid_i   (out_valid_o),
  .out_ready_i   (out_ready_i),
  .full_i        ({in_stage_valid, max_valid, code_valid, out_valid_o}),
  .in_type_i     (in_type_i),
  .in_lanes_i    (in_lanes_i),
  .code_load_i   (code_load),
  .nan_i         (nan),
  .zero_i        (zero),
  .divides_i     (divides),
  .max_i         (max_q),
  .format_i      (max_format),
  .rounding_i    (max_rounding),
  .rule_i        (rule),
  .rule_up_i     (gen_rule.u_rule.up),
  .exponent_i    (rule_exponent),
  .at_largest_i  (gen_rule.u_rule.at_largest[max_format]),
  .carries_i     (gen_rule.u_rule.carries[max_format]),
  .nearest_i     (gen_ue4m3.u_scale.nearest),
  .scale_beyond_i(gen_ue4m3.u_scale.beyond),
  .prescale_i    (prescale),
  .stochastic_i  (stochastic),
  .index_i       (index),
  .done_i        (code_valid && code_done),
  .result_ready_i(result_ready),
  .searches_i    (searches_q),
  .chosen_i      (gen_mse.u_mse.chosen_q),
  .search_tie_i  (tie),
  .tries_i       (tries),
  .tried_i       (chosen)
);
