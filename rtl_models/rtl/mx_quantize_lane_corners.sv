// Functional coverage of the rounding of an element, bound to every lane of a quantizer in the
// builds that list this file. Not synthesizable.
module mx_quantize_lane_corners (
  /*verilator coverage_off*/  // only the cover properties count
  input logic                         clk_i,
  input logic [mx_pkg::RoundBits-1:0] rounding_i,
  input logic                         divides_i,
  input logic                         last_i,        // the division does not go on
  input logic                         negative_i,
  input logic                         nonzero_i,
  input logic                         subnormal_i,
  input logic                         beyond_i,
  input logic                         half_i,
  input logic                         rest_i,
  input logic                         odd_i,
  input logic [31:0]                  fraction_i,
  input logic [31:0]                  random_i,
  input logic [7:0]                   sum_i,         // the code before it saturates
  input logic [7:0]                   max_code_i,
  input logic [7:0]                   magnitude_i,
  input logic [7:0]                   mantissa_i     // of the code before rounding
);
  logic rne, rna, stochastic, tie;
  assign rne        = nonzero_i && rounding_i == mx_pkg::RoundRne;
  assign rna        = nonzero_i && rounding_i == mx_pkg::RoundRna;
  assign stochastic = nonzero_i && rounding_i == mx_pkg::RoundStochastic && last_i;
  assign tie        = half_i && !rest_i;
  /*verilator coverage_on*/

  tie_down         : cover property (@(posedge clk_i) rne && tie && !odd_i);
  tie_up           : cover property (@(posedge clk_i) rne && tie && odd_i);
  tie_away         : cover property (@(posedge clk_i) rna && tie && !odd_i);
  above_tie        : cover property (@(posedge clk_i) rne && half_i && rest_i && !odd_i);
  subnormal        : cover property (@(posedge clk_i) nonzero_i && subnormal_i
                                                      && magnitude_i != '0);
  to_zero          : cover property (@(posedge clk_i) nonzero_i && magnitude_i == '0);
  to_minus_zero    : cover property (@(posedge clk_i) nonzero_i && negative_i && magnitude_i == '0);
  beyond           : cover property (@(posedge clk_i) nonzero_i && beyond_i);
  saturates        : cover property (@(posedge clk_i) nonzero_i && !beyond_i && sum_i > max_code_i);
  largest          : cover property (@(posedge clk_i) nonzero_i && !beyond_i
                                                      && sum_i == max_code_i);
  carries          : cover property (@(posedge clk_i) nonzero_i && !beyond_i && &mantissa_i
                                                      && sum_i[0] == 1'b0 && sum_i <= max_code_i);
  random_equal     : cover property (@(posedge clk_i) stochastic && random_i == fraction_i);
  random_below     : cover property (@(posedge clk_i) stochastic && random_i + 1 == fraction_i);
  quotient_tie     : cover property (@(posedge clk_i) rne && divides_i && tie);
  quotient_random  : cover property (@(posedge clk_i) stochastic && divides_i
                                                      && random_i[31:16] == fraction_i[31:16]);
endmodule

bind mx_quantize_lane mx_quantize_lane_corners u_corners (
  .clk_i      (clk_i),
  .rounding_i (rounding_i),
  .divides_i  (divides_i),
  .last_i     (!goes_on_i),
  .negative_i (negative),
  .nonzero_i  (exact != '0),
  .subnormal_i(u_encode.subnormal),
  .beyond_i   (beyond),
  .half_i     (u_encode.half),
  .rest_i     (u_encode.rest),
  .odd_i      (u_encode.quotient[0]),
  .fraction_i (u_encode.fraction[FRACTION-1 -: 32]),
  .random_i   (random_i),
  .sum_i      (u_encode.sum),
  .max_code_i (u_encode.max_code),
  .magnitude_i(u_encode.magnitude),
  .mantissa_i (8'(u_encode.quotient) | ~((8'd1 << u_encode.mantissa) - 8'd1))
);
