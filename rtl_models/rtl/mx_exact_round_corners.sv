// Functional coverage of the one rounding of `exact`, where results leave the array:
// mx_mac_array_checks connects it. Not synthesizable.
module mx_exact_round_corners (
  /*verilator coverage_off*/  // only the cover properties count
  input logic        clk_i,
  input logic        taken_i,
  input logic [31:0] result_i,
  input logic        special_i,
  input logic        start_nan_i,
  input logic        start_special_i,
  input logic        start_subnormal_i,
  input logic        zero_i,
  input logic        nonzero_i,      // there was a product that is not zero
  input logic        tie_i,
  input logic        round_up_i,
  input logic        to_normal_i,    // below the least normal number, rounded to it
  input logic [30:0] rounded_i,      // before FTZ flushes it
  input logic        overflow_i
);
  logic finite;
  assign finite = taken_i && !special_i;
  /*verilator coverage_on*/
  nan_start    : cover property (@(posedge clk_i) taken_i && start_nan_i);
  inf_start    : cover property (@(posedge clk_i) taken_i && start_special_i && !start_nan_i);
  cancelled    : cover property (@(posedge clk_i) finite && zero_i && nonzero_i);
  minus_zero   : cover property (@(posedge clk_i) finite && result_i == 32'h8000_0000 && zero_i);
  plus_zero    : cover property (@(posedge clk_i) finite && result_i == '0 && !nonzero_i);
  tie_down     : cover property (@(posedge clk_i) finite && !zero_i && tie_i && !round_up_i);
  tie_up       : cover property (@(posedge clk_i) finite && !zero_i && tie_i && round_up_i);
  subnormal    : cover property (@(posedge clk_i) finite && !zero_i && rounded_i[30:23] == '0
                                                  && rounded_i[22:0] != '0);
  subnormal_start : cover property (@(posedge clk_i) finite && start_subnormal_i && !nonzero_i);
  underflow    : cover property (@(posedge clk_i) finite && !zero_i && rounded_i == '0);
  to_normal    : cover property (@(posedge clk_i) finite && to_normal_i);
  overflow     : cover property (@(posedge clk_i) finite && !zero_i && overflow_i);
endmodule
