// Proofs of fp32_accumulate.

// acc + term against the exact sum in a wide register, rounded by fp32_term and fp32_from_term, which have proofs of
// their own (rounding.sv). The exponents lie from NEAREST to FARTHEST apart, the term's above (TERM_ABOVE) or not; or,
// where FAR is 1, FARTHEST or more. From max(SIZE, 26) on, SIZE = max(TERM, 24), the lower operand is less than the
// distance of the higher one from any middle of two binary32 that it does not lie on (multiples of
// 2^(higher exponent - max(SIZE-1, 25))), so that any number below those places, one unit, stands for it.

module prove_accumulate #(
  parameter int TERM = 13,
  parameter bit TERM_ABOVE = 1'b0,
  parameter int NEAREST  = 0,
  parameter int FARTHEST = 0,
  parameter bit FAR = 1'b0,
  parameter bit SUBNORMAL_TERM = 1'b0,  // of `blockwise`: exponent 1, with or without leading bit
  parameter bit FAULTS = 1'b0,
  parameter int FAULT  = 0
) (
  input  logic              acc_negative,
  input  logic [7:0]        acc_field,
  input  logic [22:0]       acc_fraction,
  input  logic              term_negative,
  input  logic [TERM-1:0]   term_significand,
  input  logic [9:0]        any_distance,
  input  logic              keeps_minus,
  output logic              wrong
);
  localparam int SIZE = TERM > 24 ? TERM : 24;
  localparam int MOVE = FAR ? 4 : FARTHEST;
  localparam int WIDE = SIZE + MOVE;  // magnitude of an operand
  logic [31:0]        acc, result;
  logic signed [31:0] distance, acc_exponent, term_exponent, high_exponent;
  logic [23:0]        acc_significand;
  assign acc             = {acc_negative, acc_field, acc_fraction};
  assign acc_exponent    = acc_field == '0 ? 1 : {24'b0, acc_field};
  assign acc_significand = {acc_field != '0, acc_fraction};
  assign distance        = NEAREST == FARTHEST && !FAR ? NEAREST : {22'b0, any_distance};
  assign term_exponent   = TERM_ABOVE ? acc_exponent + distance : acc_exponent - distance;
  fp32_accumulate #(.TERM_BITS(TERM), .FAULTS(FAULTS)) dut (
    .acc_i(acc), .term_negative_i(term_negative), .term_significand_i(term_significand),
    .term_exponent_i(term_exponent[9:0]), .term_inf_i(1'b0), .term_nan_i(1'b0), .keeps_minus_i(keeps_minus),
    .fault_i(5'(FAULT)), .acc_o(result)
  );
  logic [WIDE-1:0] a, t, high, low;
  assign a    = WIDE'(acc_significand) << (SIZE - 24);
  assign t    = WIDE'(term_significand) << (SIZE - TERM);
  assign high = (TERM_ABOVE ? t : a) << MOVE;
  if (FAR) begin : gen_far
    assign low = WIDE'(TERM_ABOVE ? acc_significand != '0 : term_significand != '0);
  end else begin : gen_near
    assign low = (TERM_ABOVE ? a : t) << (FARTHEST - distance);
  end
  assign high_exponent = TERM_ABOVE ? term_exponent : acc_exponent;
  // The sum in units of 2^(high_exponent - (SIZE-1) - MOVE).
  logic            high_negative, low_negative;
  logic [WIDE+1:0] sum, first, second;
  assign high_negative = TERM_ABOVE ? term_negative : acc_negative;
  assign low_negative  = TERM_ABOVE ? acc_negative : term_negative;
  assign first         = {2'b0, high};
  assign second        = {2'b0, low};
  assign sum           = (high_negative ? -first : first) + (low_negative ? -second : second);
  logic              negative;
  logic [WIDE:0]     significand;
  logic signed [9:0] unit_exponent, exponent;
  logic [30:0]       rounded;
  assign unit_exponent = high_exponent[9:0] - 10'(SIZE - 1 + MOVE);
  fp32_term #(.SUM_BITS(WIDE+2), .TERM_BITS(WIDE+1)) u_exact (
    .sum_i(sum), .scale_significand_i(1'b0), .exponent_i(unit_exponent),
    .negative_o(negative), .significand_o(significand), .exponent_o(exponent)
  );
  fp32_from_term #(.TERM_BITS(WIDE+1)) u_rounded (
    .significand_i(significand), .sticky_i(1'b0), .exponent_i(exponent), .fault_i(5'd0), .magnitude_o(rounded)
  );
  logic        possible, a_term, a_distance;
  logic [31:0] expected;
  assign expected = sum == '0 ? {acc_negative && keeps_minus, 31'b0} : {negative, rounded};
  // The accumulator is finite. The term has its leading bit, or is zero at the least exponent; 420 is the largest.
  assign a_term     = SUBNORMAL_TERM ? term_exponent == 1
                    : term_significand[TERM-1] ? term_exponent >= -511 && term_exponent <= 420
                                               : term_significand == '0 && term_exponent == -512;
  assign a_distance = FAR ? distance >= FARTHEST : distance >= NEAREST && distance <= FARTHEST;
  assign possible   = acc_field != 8'hff && a_term && a_distance;
  assign wrong      = possible && result != expected;
endmodule

// NaN, Inf and flushing, whatever the numbers are.
module prove_accumulate_special #(
  parameter int TERM = 13,
  parameter bit FAULTS = 1'b0,
  parameter int FAULT  = 0
) (
  input  logic [31:0]       acc,
  input  logic              term_negative, term_inf, term_nan, keeps_minus,
  input  logic [TERM-1:0]   term_significand,
  input  logic signed [9:0] term_exponent,
  output logic              wrong
);
  logic [31:0] result, plain, flushed, expected;
  fp32_accumulate #(.TERM_BITS(TERM), .FAULTS(FAULTS)) dut (
    .acc_i(acc), .term_negative_i(term_negative), .term_significand_i(term_significand),
    .term_exponent_i(term_exponent), .term_inf_i(term_inf), .term_nan_i(term_nan), .keeps_minus_i(keeps_minus),
    .fault_i(5'(FAULT)), .acc_o(result)
  );
  // The same with and without FTZ.
  fp32_accumulate #(.TERM_BITS(TERM)) u_plain (
    .acc_i(acc), .term_negative_i(term_negative), .term_significand_i(term_significand),
    .term_exponent_i(term_exponent), .term_inf_i(term_inf), .term_nan_i(term_nan), .keeps_minus_i(keeps_minus),
    .fault_i(5'd0), .acc_o(plain)
  );
  fp32_accumulate #(.TERM_BITS(TERM), .FTZ(1'b1)) u_flushed (
    .acc_i(acc), .term_negative_i(term_negative), .term_significand_i(term_significand),
    .term_exponent_i(term_exponent), .term_inf_i(term_inf), .term_nan_i(term_nan), .keeps_minus_i(keeps_minus),
    .fault_i(5'd0), .acc_o(flushed)
  );
  logic acc_inf, acc_nan, special;
  assign acc_nan  = acc[30:0] > 31'h7f80_0000;
  assign acc_inf  = acc[30:0] == 31'h7f80_0000;
  assign special  = acc_nan || acc_inf || term_inf || term_nan;
  assign expected = acc_nan || term_nan || (acc_inf && term_inf && acc[31] != term_negative) ? 32'h7fc0_0000
                  : acc_inf ? acc : {term_negative, 31'h7f80_0000};
  assign wrong = (special && result != expected)
              || flushed != (plain[30:0] < 31'h0080_0000 ? {plain[31], 31'b0} : plain);
endmodule
