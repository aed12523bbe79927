// Functional coverage of the scaling unit, bound to it in the builds that list this file.
// Not synthesizable.
module e8m0_scaling_unit_corners #(
  parameter int SUM_BITS = 42
) (
  /*verilator coverage_off*/  // only the cover properties count
  input logic                clk_i,
  input logic                valid_i,
  input logic [SUM_BITS-1:0] sum_i,
  input logic [7:0]          a_scale_i,
  input logic [7:0]          b_scale_i,
  input logic                nan_i,
  input logic signed [mx_pkg::ExponentWidth-1:0] exponent_i,  // biased, of the term's top bit
  input logic [30:0]         magnitude_i,
  input logic                guard_i,
  input logic                rest_i,
  input logic                odd_i
);
  logic number, nonzero;
  assign number  = valid_i && !nan_i;
  assign nonzero = number && sum_i != '0;
  /*verilator coverage_on*/

  a_nan_alone      : cover property (@(posedge clk_i) valid_i && &a_scale_i && !(&b_scale_i));
  b_nan_alone      : cover property (@(posedge clk_i) valid_i && &b_scale_i && !(&a_scale_i));
  both_nan         : cover property (@(posedge clk_i) valid_i && &a_scale_i && &b_scale_i);
  nan_of_zero      : cover property (@(posedge clk_i) valid_i && nan_i && sum_i == '0);
  zero             : cover property (@(posedge clk_i) number && sum_i == '0);
  negative         : cover property (@(posedge clk_i) number && sum_i[SUM_BITS-1]);
  least_scales     : cover property (@(posedge clk_i) nonzero && a_scale_i == '0 && b_scale_i == '0);
  largest_scales   : cover property (@(posedge clk_i) nonzero && a_scale_i == 8'hfe
                                                      && b_scale_i == 8'hfe);
  opposite_scales  : cover property (@(posedge clk_i) nonzero && a_scale_i == '0
                                                      && b_scale_i == 8'hfe);
  far_overflow     : cover property (@(posedge clk_i) nonzero && exponent_i > 256);
  just_overflow    : cover property (@(posedge clk_i) nonzero && exponent_i == 255);
  round_overflow   : cover property (@(posedge clk_i) nonzero && exponent_i == 254
                                                      && magnitude_i == 31'h7f80_0000);
  largest_finite   : cover property (@(posedge clk_i) nonzero && magnitude_i == 31'h7f7f_ffff);
  least_normal     : cover property (@(posedge clk_i) nonzero && magnitude_i == 31'h0080_0000);
  round_to_normal  : cover property (@(posedge clk_i) nonzero && exponent_i == 0
                                                      && magnitude_i == 31'h0080_0000);
  subnormal        : cover property (@(posedge clk_i) nonzero && magnitude_i[30:23] == '0
                                                      && magnitude_i[22:0] > 1);
  least_subnormal  : cover property (@(posedge clk_i) nonzero && magnitude_i == 31'd1);
  tie_to_zero      : cover property (@(posedge clk_i) nonzero && guard_i && !rest_i
                                                      && magnitude_i == '0);
  far_underflow    : cover property (@(posedge clk_i) nonzero && exponent_i < -100
                                                      && magnitude_i == '0);
  tie_down         : cover property (@(posedge clk_i) nonzero && guard_i && !rest_i && !odd_i);
  tie_up           : cover property (@(posedge clk_i) nonzero && guard_i && !rest_i && odd_i);
  rounds_up        : cover property (@(posedge clk_i) nonzero && guard_i && rest_i);
  rounds_down      : cover property (@(posedge clk_i) nonzero && !guard_i && rest_i);
  exact            : cover property (@(posedge clk_i) nonzero && !guard_i && !rest_i);
endmodule

bind e8m0_scaling_unit e8m0_scaling_unit_corners #(
  .SUM_BITS(SUM_BITS)
) u_corners (
  .clk_i      (clk_i),
  .valid_i    (valid_i),
  .sum_i      (sum_i),
  .a_scale_i  (a_scale_i),
  .b_scale_i  (b_scale_i),
  .nan_i      (nan),
  .exponent_i (term_exponent),
  .magnitude_i(magnitude),
  .guard_i    (u_round.u_round.guard_i),
  .rest_i     (u_round.u_round.rest_i),
  .odd_i      (u_round.u_round.significand_i[0])
);
