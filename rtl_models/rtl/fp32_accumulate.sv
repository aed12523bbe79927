// acc ← RNE32(acc + term), the one rounding of a step: align, add, normalise, round to nearest
// even with gradual underflow and overflow to infinity, special values (ARITHMETIC §3, §4). With
// FTZ a subnormal result becomes the zero of its sign. Combinational.
module fp32_accumulate #(
  parameter int TERM_BITS = 41,
  parameter bit FTZ = 1'b0,
  parameter bit FAULTS = 1'b0
) (
  input  logic [31:0]                             acc_i,
  input  logic                                    term_negative_i,
  // Leading bit on top, or 0; at the least exponent, 1, also without a leading bit.
  input  logic [TERM_BITS-1:0]                    term_significand_i,
  input  logic signed [mx_pkg::ExponentWidth-1:0] term_exponent_i,  // biased, of the top bit
  input  logic                                    term_inf_i,       // ±Inf, not a significand
  input  logic                                    term_nan_i,
  input  logic                                    keeps_minus_i,  // -0 plus a zero term stays -0
  input  logic [mx_pkg::FaultBits-1:0]            fault_i,
  output logic [31:0]                             acc_o
);
  localparam int ACC_BITS = 24;  // hidden bit and fraction
  // Both operands stand with their leading bit on top of a window, three places below the wider
  // one: where the exponents differ by at most one, nothing is lost, whatever cancels; where
  // they differ by more, at most one bit cancels, and guard and sticky bit lie below the result.
  localparam int WINDOW = (TERM_BITS > ACC_BITS ? TERM_BITS : ACC_BITS) + 3;
  localparam int TOP = WINDOW;  // position of the carry of the sum

  // --- planted faults
  logic align_wraps, align_forgets, keeps_payload, inf_flips, minus_zero_lost;
  assign align_wraps     = FAULTS && fault_i == mx_pkg::FaultAlignWraps;
  assign align_forgets   = FAULTS && fault_i == mx_pkg::FaultAlignSticky;
  assign keeps_payload   = FAULTS && fault_i == mx_pkg::FaultNanPayload;
  assign inf_flips       = FAULTS && fault_i == mx_pkg::FaultInfChangesSign && term_significand_i != '0;
  assign minus_zero_lost = FAULTS && fault_i == mx_pkg::FaultAccMinusZero;

  // --- take apart; a subnormal accumulator and zero have the least exponent and no hidden bit
  logic                                    acc_negative, acc_normal, acc_special, acc_nan;
  logic [ACC_BITS-1:0]                     acc_significand;
  logic signed [mx_pkg::ExponentWidth-1:0] acc_exponent;
  assign acc_negative    = acc_i[31];
  assign acc_normal      = acc_i[30:23] != '0;
  assign acc_special     = &acc_i[30:23];
  assign acc_nan         = acc_special && acc_i[22:0] != '0;
  assign acc_significand = {acc_normal, acc_i[22:0]};
  assign acc_exponent    = mx_pkg::ExponentWidth'({1'b0, acc_i[30:24], acc_i[23] | !acc_normal});

  // --- align: the operand of the lower exponent moves right; what falls off is kept as one bit
  localparam int PLACES     = $clog2(WINDOW + 1);
  localparam int FAR_PLACES = 2**PLACES - 1;
  logic                                    term_above, high_negative, low_negative, far, sticky;
  logic [WINDOW-1:0]                       acc_window, term_window, high, low, moved, lost;
  logic signed [mx_pkg::ExponentWidth-1:0] high_exponent;
  logic [mx_pkg::ExponentWidth-1:0]        distance;
  logic [PLACES-1:0]                       places;
  assign acc_window    = {acc_significand, {(WINDOW-ACC_BITS){1'b0}}};
  assign term_window   = {term_significand_i, {(WINDOW-TERM_BITS){1'b0}}};
  assign term_above    = term_exponent_i > acc_exponent;
  assign high          = term_above ? term_window : acc_window;
  assign low           = term_above ? acc_window : term_window;
  assign high_negative = term_above ? term_negative_i : acc_negative;
  assign low_negative  = term_above ? acc_negative : term_negative_i;
  assign high_exponent = term_above ? term_exponent_i : acc_exponent;
  assign distance      = term_above ? term_exponent_i - acc_exponent
                                    : acc_exponent - term_exponent_i;
  assign far           = |distance[mx_pkg::ExponentWidth-1:PLACES];
  assign places        = far && !align_wraps ? PLACES'(FAR_PLACES) : distance[PLACES-1:0];
  assign lost          = low & ~({WINDOW{1'b1}} << places);
  assign sticky        = lost != '0 && !align_forgets;
  assign moved         = (low >> places) | WINDOW'(sticky);

  // --- add: sign and magnitude of the exact sum, but for the sticky bit
  logic                subtract, lower_wins, negative;
  logic [WINDOW+1:0]   difference;  // signed
  logic [WINDOW:0]     magnitude;
  assign subtract   = high_negative ^ low_negative;
  assign difference = {2'b0, high} + ({2'b0, moved} ^ {(WINDOW+2){subtract}})
                    + (WINDOW+2)'(subtract);
  assign lower_wins = difference[WINDOW+1];
  assign negative   = high_negative ^ lower_wins;
  assign magnitude  = (difference[WINDOW:0] ^ {(WINDOW+1){lower_wins}}) + (WINDOW+1)'(lower_wins);

  // --- normalise: the leading bit to TOP, but not below the least exponent (1, at TOP)
  localparam int ZEROS = $clog2(WINDOW + 2);
  logic [ZEROS-1:0]                 zeros, shift;
  logic [WINDOW:0]                  normal;
  logic [mx_pkg::ExponentWidth-2:0] exponent;  // of TOP, biased, minus one
  leading_zeros #(
    .WIDTH(WINDOW+1)
  ) u_leading_zeros (
    .word_i (magnitude),
    .count_o(zeros)
  );
  assign shift    = high_exponent < mx_pkg::ExponentWidth'({1'b0, zeros}) ? high_exponent[ZEROS-1:0]
                                                                          : zeros;
  assign normal   = magnitude << shift;
  assign exponent = high_exponent[mx_pkg::ExponentWidth-2:0] - (mx_pkg::ExponentWidth-1)'(shift);

  // --- round
  logic [30:0] rounded;
  fp32_round #(
    .FAULTS(FAULTS)
  ) u_round (
    .significand_i(normal[TOP -: ACC_BITS]),
    .guard_i      (normal[TOP-ACC_BITS]),
    .rest_i       (normal[TOP-ACC_BITS-1:0] != '0),
    .exponent_i   (exponent),
    .fault_i,
    .magnitude_o  (rounded)
  );

  // --- special values
  // NaN is canonical; Inf stays but for the other Inf; an exact zero is +0, but that -0 stays -0
  // where a zero term lets it.
  logic        zero, flushed, nan_result;
  logic [31:0] nan, infinity, zero_sum, finite;
  assign zero       = magnitude == '0;
  assign flushed    = FTZ && rounded[30:23] == '0;
  assign nan_result = acc_nan || term_nan_i
                   || (acc_special && term_inf_i && (acc_negative ^ term_negative_i));
  assign nan        = acc_nan && keeps_payload ? acc_i : 32'h7fc0_0000;
  assign infinity   = {term_inf_i || inf_flips ? term_negative_i : acc_negative, 31'h7f80_0000};
  assign zero_sum   = {acc_negative && keeps_minus_i && !minus_zero_lost, 31'b0};
  assign finite     = {negative, flushed ? 31'b0 : rounded};
  assign acc_o      = nan_result ? nan : acc_special || term_inf_i ? infinity
                                       : zero ? zero_sum : finite;

endmodule
