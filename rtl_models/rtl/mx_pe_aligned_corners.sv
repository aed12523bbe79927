// Functional coverage of the datapaths `aligned`, bound to every element of an array in the builds
// that list this file. Not synthesizable.
module mx_pe_aligned_corners #(
  parameter int FRACTION_BITS = 25,
  parameter int TERM_BITS     = 16,
  parameter int GROUP         = 1,
  parameter int ROUNDING      = mx_pkg::Rz
) (
  /*verilator coverage_off*/  // only the cover properties count
  input logic        clk_i,
  // beat → sum
  input logic        sum_load_i,
  input logic        element_nan_i,
  input logic        scale_nan_i,
  input logic        products_nan_i,  // Inf · 0
  input logic        all_zero_i,      // no term has an exponent of its own
  // term → accumulator
  input logic        acc_load_i,
  input logic [31:0] acc_next_i,
  input logic        acc_nan_i,
  input logic        acc_special_i,   // Inf or NaN
  input logic        acc_zero_i,
  input logic        acc_normal_i,
  input logic        term_nan_i,
  input logic        term_inf_positive_i,
  input logic        term_inf_negative_i,
  input logic        partial_i,       // the tile ended before the step was full
  input logic        acc_first_i,     // the accumulator's exponent is the largest
  input logic        term_first_i,    // a term's
  input logic        zero_first_i,    // that of zero
  // Of the accumulator and of the first term: how far the largest exponent lies above the lowest bit.
  input logic signed [11:0] acc_distance_i,
  input logic [23:0]        acc_magnitude_i,
  input logic signed [11:0] term_distance_i,
  input logic [TERM_BITS-1:0] term_magnitude_i,
  input logic        terms_zero_i,    // all of them, or their sums
  input logic        sum_zero_i,
  input logic        cancelled_i,     // terms that are not zero give zero
  input logic        negative_i,
  input logic        tie_i,
  input logic        round_up_i,
  input logic [30:0] rounded_i,       // before FTZ flushes it
  input logic        to_normal_i,     // below the least normal number, rounded to it
  input logic        overflow_i
);
  logic special, finite;
  assign special = acc_special_i || term_nan_i || term_inf_positive_i || term_inf_negative_i;
  assign finite  = acc_load_i && !special;

  // Bits that fall below the fraction; whether any are left.
  logic signed [11:0] acc_below, term_below;
  logic               acc_lost, acc_gone, term_lost, term_gone;
  assign acc_below  = acc_distance_i - 12'(FRACTION_BITS);
  assign term_below = term_distance_i - 12'(FRACTION_BITS);
  assign acc_lost   = acc_below > 0 && (acc_below > 23
                      || (acc_magnitude_i & ~({24{1'b1}} << acc_below[4:0])) != '0);
  assign acc_gone   = acc_below > 23 || (acc_magnitude_i >> acc_below[4:0]) == '0;
  assign term_lost  = term_below > 0 && (term_below >= 12'(TERM_BITS)
                      || (term_magnitude_i & ~({TERM_BITS{1'b1}} << term_below[4:0])) != '0);
  assign term_gone  = term_below >= 12'(TERM_BITS)
                      || (term_below > 0 && (term_magnitude_i >> term_below[4:0]) == '0);
  /*verilator coverage_on*/

  nan_element    : cover property (@(posedge clk_i) sum_load_i && element_nan_i);
  nan_scale      : cover property (@(posedge clk_i) sum_load_i && scale_nan_i);
  nan_inf_zero   : cover property (@(posedge clk_i) sum_load_i && products_nan_i);
  no_product     : cover property (@(posedge clk_i) sum_load_i && all_zero_i);
  nan_acc        : cover property (@(posedge clk_i) acc_load_i && acc_nan_i);
  inf_acc        : cover property (@(posedge clk_i) acc_load_i && acc_special_i && !acc_nan_i);
  inf_positive   : cover property (@(posedge clk_i) acc_load_i && acc_next_i == 32'h7f80_0000
                                                    && term_inf_positive_i);
  inf_negative   : cover property (@(posedge clk_i) acc_load_i && acc_next_i == 32'hff80_0000
                                                    && term_inf_negative_i);
  inf_minus_inf  : cover property (@(posedge clk_i) acc_load_i && term_inf_positive_i
                                                    && term_inf_negative_i);
  step_partial   : cover property (@(posedge clk_i) acc_load_i && partial_i);
  acc_largest    : cover property (@(posedge clk_i) finite && acc_first_i);
  term_largest   : cover property (@(posedge clk_i) finite && term_first_i);
  zero_largest   : cover property (@(posedge clk_i) finite && zero_first_i);
  acc_truncated  : cover property (@(posedge clk_i) finite && !acc_zero_i && acc_lost
                                                    && !acc_gone);
  acc_shifted_out : cover property (@(posedge clk_i) finite && !acc_zero_i && acc_lost
                                                    && acc_gone);
  term_truncated : cover property (@(posedge clk_i) finite && term_magnitude_i != '0
                                                    && term_lost && !term_gone);
  term_shifted_out : cover property (@(posedge clk_i) finite && term_magnitude_i != '0
                                                    && term_lost && term_gone);
  acc_minus_zero : cover property (@(posedge clk_i) finite && acc_zero_i && negative_i);
  acc_subnormal  : cover property (@(posedge clk_i) finite && !acc_zero_i && !acc_normal_i);
  cancelled      : cover property (@(posedge clk_i) finite && cancelled_i);
  subnormal      : cover property (@(posedge clk_i) finite && !sum_zero_i && !terms_zero_i
                                                    && rounded_i[30:23] == '0
                                                    && rounded_i[22:0] != '0);
  subnormal_acc  : cover property (@(posedge clk_i) finite && terms_zero_i && !acc_zero_i
                                                    && !acc_normal_i);
  overflow       : cover property (@(posedge clk_i) finite && overflow_i);

  if (ROUNDING == mx_pkg::Rne) begin : gen_nearest
    to_normal    : cover property (@(posedge clk_i) finite && to_normal_i);
    tie_down     : cover property (@(posedge clk_i) finite && tie_i && !round_up_i);
    tie_up       : cover property (@(posedge clk_i) finite && tie_i && round_up_i);
  end else begin : gen_toward_zero
    logic unused;
    assign unused = to_normal_i ^ tie_i ^ round_up_i;
  end

  // Groups that all cancel to zero have the largest exponent, above the accumulator's.
  if (GROUP > 1) begin : gen_group
    group_cancelled : cover property (@(posedge clk_i) finite && !acc_zero_i && term_first_i
                                                       && terms_zero_i);
  end
endmodule

bind mx_pe_aligned mx_pe_aligned_corners #(
  .FRACTION_BITS(FRACTION_BITS),
  .TERM_BITS    (TERM),
  .GROUP        (GROUP),
  .ROUNDING     (ROUNDING)
) u_corners (
  .clk_i              (clk_i),
  .sum_load_i         (sum_load_i),
  .element_nan_i      (a_nan_i || b_nan_i),
  .scale_nan_i        (scale_nan),
  .products_nan_i     (|nan),
  .all_zero_i         (&zero),
  .acc_load_i         (acc_load_i),
  .acc_next_i         (acc_next),
  .acc_nan_i          (u_accumulate.acc_nan),
  .acc_special_i      (u_accumulate.acc_special),
  .acc_zero_i         (u_accumulate.acc_zero),
  .acc_normal_i       (u_accumulate.acc_normal),
  .term_nan_i         (term_nan_q),
  .term_inf_positive_i(term_inf_positive_q),
  .term_inf_negative_i(term_inf_negative_q),
  .partial_i          (acc_partial_i),
  .acc_first_i        (!u_accumulate.acc_zero && u_accumulate.max == u_accumulate.acc_exponent),
  .term_first_i       (u_accumulate.max != u_accumulate.acc_exponent
                       && u_accumulate.max == u_accumulate.greatest),
  .zero_first_i       (u_accumulate.max == u_accumulate.ZERO),
  .acc_distance_i     (u_accumulate.gen_term[STEP_BLOCKS*GROUPS].distance),
  .acc_magnitude_i    (u_accumulate.gen_term[STEP_BLOCKS*GROUPS].magnitude),
  .term_distance_i    (u_accumulate.gen_term[0].distance),
  .term_magnitude_i   (u_accumulate.gen_term[0].magnitude),
  .terms_zero_i       (term_magnitude_q == '0),
  .sum_zero_i         (u_accumulate.magnitude == '0),
  .cancelled_i        (u_accumulate.magnitude == '0
                       && u_accumulate.gen_term[0].moved != '0),
  .negative_i         (u_accumulate.acc_negative),
  .tie_i              (u_accumulate.u_round.u_round.tie),
  .round_up_i         (u_accumulate.u_round.u_round.round_up),
  .rounded_i          (u_accumulate.u_round.magnitude),
  .to_normal_i        (acc_next[30:0] == 31'h0080_0000
                       && u_accumulate.u_round.subnormal),
  .overflow_i         (u_accumulate.u_round.u_round.overflow)
);
