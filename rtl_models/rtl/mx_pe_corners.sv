// Functional coverage of the arithmetic of `fused`, `blockwise` and `sequential`, of each its own;
// bound to every element of an array in the builds that list this file. Not synthesizable.
module mx_pe_corners #(
  parameter int DATAPATH  = mx_pkg::Fused,
  parameter int TERM_BITS = 41  // of a term before it is rounded
) (
  /*verilator coverage_off*/  // only the cover properties count
  input logic        clk_i,
  // beat → sum
  input logic        sum_load_i,
  input logic        element_nan_i,
  input logic        products_nan_i, // Inf · 0, Inf - Inf
  input logic        scale_nan_i,
  input logic        sum_widest_i,   // the sum needs its highest bit
  input logic        product_nonzero_i,
  // sum → term
  input logic                                    term_load_i,
  input logic [TERM_BITS-1:0]                    exact_significand_i,
  input logic signed [mx_pkg::ExponentWidth-1:0] exact_exponent_i,
  // term → accumulator
  input logic        acc_load_i,
  input logic [31:0] acc_next_i,
  input logic        acc_nan_i,
  input logic        acc_special_i,  // Inf or NaN
  input logic        term_nan_i,
  input logic        term_inf_i,
  input logic        signs_differ_i, // of accumulator and term
  input logic        term_zero_i,
  input logic        term_minus_i,   // `blockwise`, `sequential`: where it is zero, it is -0
  input logic        acc_minus_zero_i,
  input logic        acc_subnormal_i,
  input logic        term_above_i,   // the block's leading bit lies above the accumulator's
  input logic        far_i,          // by 64 places or more, or below by as many
  input logic [mx_pkg::ExponentWidth-1:0] distance_i,
  input logic        sticky_i,
  input logic        tie_i,
  input logic        round_up_i,
  input logic        all_ones_i,     // of the significand before rounding
  input logic [30:0] rounded_i,      // before FTZ flushes it
  input logic        to_normal_i,    // below the least normal number, rounded to it
  input logic        overflow_i,
  input logic        zero_i          // the exact sum is zero
);
  // Of the products of the block that is in the sum, and in the term: one is not zero; the term was
  // exactly zero.
  logic sum_nonzero_q, term_nonzero_q, term_exact_zero_q;
  always_ff @(posedge clk_i) begin
    if (sum_load_i) sum_nonzero_q <= product_nonzero_i;
    if (term_load_i) begin
      term_nonzero_q    <= sum_nonzero_q;
      term_exact_zero_q <= exact_significand_i == '0;
    end
  end
  logic finite, term, no_term, cancelled, beside, near, middle, acc_inf;
  assign finite  = acc_load_i && !acc_special_i && !term_nan_i;
  assign term    = finite && !term_zero_i && !term_inf_i;
  assign no_term = finite && term_zero_i && !term_inf_i;
  assign cancelled = no_term && term_exact_zero_q && term_nonzero_q;
  assign beside  = term && distance_i == mx_pkg::ExponentWidth'(1);
  assign near    = term && distance_i > mx_pkg::ExponentWidth'(1)
                        && distance_i <= mx_pkg::ExponentWidth'(24);  // they share a bit
  assign middle  = term && distance_i > mx_pkg::ExponentWidth'(24) && !far_i;
  assign acc_inf = acc_load_i && acc_special_i && !acc_nan_i;
  /*verilator coverage_on*/

  nan_element    : cover property (@(posedge clk_i) sum_load_i && element_nan_i);
  nan_products   : cover property (@(posedge clk_i) sum_load_i && products_nan_i);
  nan_scale      : cover property (@(posedge clk_i) sum_load_i && scale_nan_i);
  nan_acc        : cover property (@(posedge clk_i) acc_load_i && acc_nan_i);
  inf_acc        : cover property (@(posedge clk_i) acc_inf && !term_inf_i && !term_nan_i);
  inf_term       : cover property (@(posedge clk_i) finite && term_inf_i);
  inf_and_inf    : cover property (@(posedge clk_i) acc_inf && term_inf_i && !term_nan_i
                                                    && !signs_differ_i);
  inf_minus_inf  : cover property (@(posedge clk_i) acc_inf && term_inf_i && !term_nan_i
                                                    && signs_differ_i);
  overflow       : cover property (@(posedge clk_i) finite && overflow_i);
  subnormal      : cover property (@(posedge clk_i) term && rounded_i[30:23] == '0
                                                    && rounded_i[22:0] != '0);
  subnormal_acc  : cover property (@(posedge clk_i) no_term && acc_subnormal_i);
  tie_down       : cover property (@(posedge clk_i) finite && tie_i && !round_up_i);
  tie_up         : cover property (@(posedge clk_i) finite && tie_i && round_up_i);
  carry          : cover property (@(posedge clk_i) finite && round_up_i && all_ones_i);
  acc_cancelled  : cover property (@(posedge clk_i) term && zero_i);
  bits_lost      : cover property (@(posedge clk_i) term && sticky_i);
  same_place     : cover property (@(posedge clk_i) term && distance_i == '0);
  beside_below   : cover property (@(posedge clk_i) beside && !term_above_i);
  beside_above   : cover property (@(posedge clk_i) beside && term_above_i);
  near_below     : cover property (@(posedge clk_i) near && !term_above_i);
  near_above     : cover property (@(posedge clk_i) near && term_above_i);
  middle_below   : cover property (@(posedge clk_i) middle && !term_above_i);
  middle_above   : cover property (@(posedge clk_i) middle && term_above_i);
  far_below      : cover property (@(posedge clk_i) term && far_i && !term_above_i);
  far_above      : cover property (@(posedge clk_i) term && far_i && term_above_i);

  // A sum of one product neither cancels nor grows.
  if (DATAPATH != mx_pkg::Sequential) begin : gen_sum
    sum_widest    : cover property (@(posedge clk_i) sum_load_i && sum_widest_i);
    sum_cancelled : cover property (@(posedge clk_i) cancelled);
  end else begin : gen_no_sum
    logic unused;
    assign unused = sum_widest_i ^ cancelled;
  end

  // An accumulator -0: of `fused` it stays where no product is nonzero, else IEEE adds a zero of
  // either sign.
  if (DATAPATH == mx_pkg::Fused) begin : gen_minus_zero
    minus_zero_stays     : cover property (@(posedge clk_i) no_term && acc_minus_zero_i
                                           && !term_nonzero_q && acc_next_i == 32'h8000_0000);
    minus_zero_cancelled : cover property (@(posedge clk_i) cancelled && acc_minus_zero_i
                                           && acc_next_i == '0);
    logic unused;
    assign unused = term_minus_i;
  end else begin : gen_ieee_zero
    minus_and_plus_zero  : cover property (@(posedge clk_i) no_term && acc_minus_zero_i
                                           && !term_nonzero_q && acc_next_i == '0);
    minus_and_minus_zero : cover property (@(posedge clk_i) no_term && acc_minus_zero_i
                                           && term_minus_i
                                           && acc_next_i == 32'h8000_0000);
  end

  // Binary32 numbers have no sum below the least of them.
  if (DATAPATH != mx_pkg::Blockwise) begin : gen_exact_term
    underflow : cover property (@(posedge clk_i) term && !zero_i && rounded_i == '0);
    to_normal : cover property (@(posedge clk_i) term && to_normal_i);
  end else begin : gen_rounded_term
    logic unused;
    assign unused = to_normal_i;
  end

  // Of `blockwise` a term is rounded; here once more, for its insides.
  if (DATAPATH == mx_pkg::Blockwise) begin : gen_term
    logic [30:0] magnitude;
    logic        rounds;
    fp32_from_term #(
      .TERM_BITS(TERM_BITS)
    ) u_round (
      .significand_i(exact_significand_i),
      .sticky_i     (1'b0),
      .exponent_i   (exact_exponent_i),
      .fault_i      ('0),
      .magnitude_o  (magnitude)
    );
    assign rounds = term_load_i && exact_significand_i != '0;
    term_tie_down  : cover property (@(posedge clk_i) rounds && u_round.u_round.tie
                                                      && !u_round.u_round.round_up);
    term_tie_up    : cover property (@(posedge clk_i) rounds && u_round.u_round.tie
                                                      && u_round.u_round.round_up);
    term_subnormal : cover property (@(posedge clk_i) rounds && magnitude[30:23] == '0
                                                      && magnitude[22:0] != '0);
    term_underflow : cover property (@(posedge clk_i) rounds && magnitude == '0);
    term_to_normal : cover property (@(posedge clk_i) rounds && magnitude == 31'h0080_0000
                                                      && u_round.subnormal);
    term_overflow  : cover property (@(posedge clk_i) rounds && magnitude[30:23] == '1);
  end else begin : gen_no_term
    logic unused;
    assign unused = term_load_i ^ ^exact_significand_i ^ ^exact_exponent_i;
  end
endmodule

bind mx_pe_block mx_pe_corners #(
  .DATAPATH (DATAPATH),
  .TERM_BITS(EXACT)
) u_corners (
  .clk_i          (clk_i),
  .sum_load_i     (sum_load_i),
  .element_nan_i  (a_nan_i || b_nan_i),
  .products_nan_i (products_nan),
  .scale_nan_i    (scale_nan),
  .sum_widest_i   (sum[SUM-1] != sum[SUM-2]),
  .product_nonzero_i(nonzero),
  .term_load_i        (term_load_i),
  .exact_significand_i(exact_significand),
  .exact_exponent_i   (exact_exponent),
  .acc_load_i     (acc_load_i),
  .acc_next_i     (acc_next),
  .acc_nan_i      (u_accumulate.acc_nan),
  .acc_special_i  (u_accumulate.acc_special),
  .term_nan_i     (term_nan_q),
  .term_inf_i     (term_inf_q),
  .signs_differ_i (u_accumulate.acc_negative ^ term_negative_q),
  .term_zero_i    (term_significand_q == '0),
  .term_minus_i   (term_keeps_minus_q),
  .acc_minus_zero_i(u_accumulate.acc_i == 32'h8000_0000),
  .acc_subnormal_i(!u_accumulate.acc_normal && u_accumulate.acc_significand != '0),
  .term_above_i   (u_accumulate.term_above),
  .far_i          (u_accumulate.far),
  .distance_i     (u_accumulate.distance),
  .sticky_i       (u_accumulate.sticky),
  .tie_i          (u_accumulate.u_round.tie),
  .round_up_i     (u_accumulate.u_round.round_up),
  .all_ones_i     (&u_accumulate.u_round.significand_i),
  .rounded_i      (u_accumulate.rounded),
  .to_normal_i    (acc_next[30:0] == 31'h0080_0000
                   && !u_accumulate.u_round.significand_i[23]),
  .overflow_i     (u_accumulate.u_round.overflow),
  .zero_i         (u_accumulate.zero)
);
