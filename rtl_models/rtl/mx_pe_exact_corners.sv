// Functional coverage of the datapath `exact`: of its elements and of the rounding where results
// leave; bound in the builds that list this file. Not synthesizable.
module mx_pe_exact_corners (
  /*verilator coverage_off*/  // only the cover properties count
  input logic       clk_i,
  input logic       sum_load_i,
  input logic       element_nan_i,
  input logic       products_nan_i,  // Inf · 0, Inf - Inf
  input logic       scale_nan_i,
  input logic       term_load_i,
  input logic       term_zero_i,
  input logic [9:0] place_i,         // of the sum's lowest bit
  input logic       acc_load_i,
  input logic [3:0] flags_i,         // {nan, inf, -inf, nonzero}
  input logic       restarts_i,
  input logic       negative_i
);
  /*verilator coverage_on*/
  nan_element   : cover property (@(posedge clk_i) sum_load_i && element_nan_i);
  nan_products  : cover property (@(posedge clk_i) sum_load_i && products_nan_i);
  nan_scale     : cover property (@(posedge clk_i) sum_load_i && scale_nan_i);
  lowest_word   : cover property (@(posedge clk_i) term_load_i && !term_zero_i && place_i < 32);
  highest_word  : cover property (@(posedge clk_i) term_load_i && !term_zero_i && place_i >= 508);
  sum_restarts  : cover property (@(posedge clk_i) acc_load_i && restarts_i);
  sum_goes_on   : cover property (@(posedge clk_i) acc_load_i && !restarts_i);
  sum_negative  : cover property (@(posedge clk_i) acc_load_i && negative_i);
  sum_inf       : cover property (@(posedge clk_i) acc_load_i && flags_i[3:1] == 3'b010);
  sum_minus_inf : cover property (@(posedge clk_i) acc_load_i && flags_i[3:1] == 3'b001);
  sum_both_infs : cover property (@(posedge clk_i) acc_load_i && flags_i[3:1] == 3'b011);
  no_product    : cover property (@(posedge clk_i) acc_load_i && !flags_i[0]);
endmodule

bind mx_pe_exact mx_pe_exact_corners u_corners (
  .clk_i         (clk_i),
  .sum_load_i    (sum_load_i),
  .element_nan_i (a_nan_i || b_nan_i),
  .products_nan_i(products_nan),
  .scale_nan_i   (scale_nan),
  .term_load_i   (term_load_i),
  .term_zero_i   (scaled == '0 || sum_flags_q[3]),
  .place_i       (place),
  .acc_load_i    (acc_load_i),
  .flags_i       (flags),
  .restarts_i    (acc_first_i),
  .negative_i    (exact[ExactBits-1])
);
