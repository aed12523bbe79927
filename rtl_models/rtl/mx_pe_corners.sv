// Functional coverage of the arithmetic, bound to every element of an array in the builds that list
// this file. Not synthesizable.
module mx_pe_corners (
  /*verilator coverage_off*/  // only the cover properties count
  input logic        clk_i,
  // beat → sum
  input logic        sum_load_i,
  input logic        element_nan_i,
  input logic        scale_nan_i,
  input logic        sum_widest_i,   // the sum needs its highest bit
  // term → accumulator
  input logic        acc_load_i,
  input logic [31:0] acc_next_i,
  input logic        acc_nan_i,
  input logic        acc_special_i,  // Inf or NaN
  input logic        term_nan_i,
  input logic        term_zero_i,
  input logic        term_nonzero_i, // a product is not zero
  input logic        term_above_i,   // the block's leading bit lies above the accumulator's
  input logic        far_i,          // by 64 places or more, or below by as many
  input logic        sticky_i,
  input logic        tie_i,
  input logic        round_up_i,
  input logic        all_ones_i,     // of the significand before rounding
  input logic        overflow_i,
  input logic        zero_i          // the exact sum is zero
);
  logic finite, term;
  assign finite = acc_load_i && !acc_special_i && !term_nan_i;
  assign term   = finite && !term_zero_i;
  /*verilator coverage_on*/

  nan_element    : cover property (@(posedge clk_i) sum_load_i && element_nan_i);
  nan_scale      : cover property (@(posedge clk_i) sum_load_i && scale_nan_i);
  sum_widest     : cover property (@(posedge clk_i) sum_load_i && sum_widest_i);
  nan_acc        : cover property (@(posedge clk_i) acc_load_i && acc_nan_i);
  inf_acc        : cover property (@(posedge clk_i) acc_load_i && acc_special_i && !acc_nan_i);
  overflow       : cover property (@(posedge clk_i) finite && overflow_i);
  subnormal      : cover property (@(posedge clk_i) finite && acc_next_i[30:23] == '0
                                                    && acc_next_i[22:0] != '0);
  underflow      : cover property (@(posedge clk_i) term && !zero_i && acc_next_i[30:0] == '0);
  tie_down       : cover property (@(posedge clk_i) finite && tie_i && !round_up_i);
  tie_up         : cover property (@(posedge clk_i) finite && tie_i && round_up_i);
  carry          : cover property (@(posedge clk_i) finite && round_up_i && all_ones_i);
  acc_cancelled  : cover property (@(posedge clk_i) term && zero_i);
  sum_cancelled  : cover property (@(posedge clk_i) finite && term_zero_i && term_nonzero_i);
  minus_zero     : cover property (@(posedge clk_i) finite && !term_nonzero_i
                                                    && acc_next_i == 32'h8000_0000);
  bits_lost      : cover property (@(posedge clk_i) term && sticky_i);
  block_far_below : cover property (@(posedge clk_i) term && far_i && !term_above_i);
  block_far_above : cover property (@(posedge clk_i) term && far_i && term_above_i);
endmodule

bind mx_pe_block mx_pe_corners u_corners (
  .clk_i          (clk_i),
  .sum_load_i     (sum_load_i),
  .element_nan_i  (a_nan_i || b_nan_i),
  .scale_nan_i    (scale_nan),
  .sum_widest_i   (sum[SUM-1] != sum[SUM-2]),
  .acc_load_i     (acc_load_i),
  .acc_next_i     (acc_next),
  .acc_nan_i      (u_accumulate.acc_nan),
  .acc_special_i  (u_accumulate.acc_special),
  .term_nan_i     (term_nan_q),
  .term_zero_i    (term_significand_q == '0),
  .term_nonzero_i (!term_keeps_minus_q),
  .term_above_i   (u_accumulate.term_above),
  .far_i          (u_accumulate.far),
  .sticky_i       (u_accumulate.sticky),
  .tie_i          (u_accumulate.u_round.tie),
  .round_up_i     (u_accumulate.u_round.round_up),
  .all_ones_i     (&u_accumulate.u_round.significand_i),
  .overflow_i     (u_accumulate.u_round.overflow),
  .zero_i         (u_accumulate.zero)
);
