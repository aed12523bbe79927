// Proofs of what stands behind a sum: leading zeros, the term, the rounding to binary32 and to sixteen bits.

// leading_zeros of every width from 1 to WIDEST, each with a word of its own; the definition asks bit by bit.
module prove_leading_zeros #(
  parameter int LEAST  = 1,
  parameter int WIDEST = 96
) (
  input  logic [WIDEST-1:0] word,
  output logic              wrong
);
  logic [WIDEST:LEAST] differs;
  for (genvar w = LEAST; w <= WIDEST; w++) begin : gen_width
    localparam int COUNT = $clog2(w + 1);
    logic [COUNT-1:0] count, expected;
    leading_zeros #(.WIDTH(w)) dut (.word_i(word[w-1:0]), .count_o(count));
    always_comb begin
      expected = COUNT'(w);
      for (int i = 0; i < w; i = i + 1)
        if (word[i]) expected = COUNT'(w - 1 - i);
    end
    assign differs[w] = count != expected;
  end
  assign wrong = differs != '0;
endmodule

// significand_o · 2^(exponent_o) of its top bit = |sum| · 2^exponent_i, exactly, with the leading bit on top.
module prove_term #(
  parameter int SUM   = 42,
  parameter int TERM  = 41
) (
  input  logic [SUM-1:0]    sum,
  input  logic signed [9:0] exponent,
  output logic              wrong
);
  logic              negative;
  logic [TERM-1:0]   significand;
  logic signed [9:0] top_exponent;
  fp32_term #(.SUM_BITS(SUM), .TERM_BITS(TERM)) dut (
    .sum_i(sum), .scale_significand_i(1'b0), .exponent_i(exponent), .negative_o(negative),
    .significand_o(significand), .exponent_o(top_exponent)
  );
  localparam int WIDE = SUM > TERM ? SUM : TERM;
  logic [SUM-1:0]     absolute;
  logic [WIDE-1:0]    magnitude;
  logic signed [31:0] zeros;
  logic               possible;
  assign absolute  = sum[SUM-1] ? {SUM{1'b0}} - sum : sum;
  assign magnitude = WIDE'(absolute);
  // The least sum does not come; the exponent of the top bit has ten bits.
  assign possible = sum != {1'b1, {(SUM-1){1'b0}}} && 32'(exponent) + TERM - 1 <= 511;
  assign zeros = 32'(exponent) + TERM - 1 - 32'(top_exponent);
  assign wrong = possible
              && (negative != sum[SUM-1]
               || (magnitude == '0 ? significand != '0 || top_exponent != -10'sd512
                                 : !significand[TERM-1] || zeros < 0 || zeros > TERM - 1
                                || (WIDE'(significand) >> zeros[7:0]) != magnitude
                                || ((WIDE'(significand) >> zeros[7:0]) << zeros[7:0]) != WIDE'(significand)));
endmodule

// With the significand of a scale: the same as the term of the product, for which prove_term holds.
module prove_scaled_term #(
  parameter int SUM   = 13,
  parameter int SCALE = 8,
  parameter int SCALE_SUM = 13,
  parameter int TERM  = 20
) (
  input  logic [SUM-1:0]    sum,
  input  logic [SCALE-1:0]  scale,
  input  logic signed [9:0] exponent,
  output logic              wrong
);
  logic              negative, no_sign;
  logic [TERM-1:0]   significand, expected, product;
  logic signed [9:0] top_exponent, expected_exponent;
  fp32_term #(.SUM_BITS(SUM), .SCALE_BITS(SCALE), .SCALE_SUM_BITS(SCALE_SUM), .TERM_BITS(TERM)) dut (
    .sum_i(sum), .scale_significand_i(scale), .exponent_i(exponent), .negative_o(negative),
    .significand_o(significand), .exponent_o(top_exponent)
  );
  fp32_term #(.SUM_BITS(TERM+1), .TERM_BITS(TERM)) u_product (
    .sum_i({1'b0, product}), .scale_significand_i(1'b0), .exponent_i(exponent), .negative_o(no_sign),
    .significand_o(expected), .exponent_o(expected_exponent)
  );
  // The product has TERM bits: |sum| < 2^(SCALE_SUM-1) under any scale, and < 2^(SUM-1) <= 2^TERM under 1.
  logic [SUM-1:0]         absolute;
  logic [SUM+SCALE-1:0]   whole;
  logic                   possible;
  assign absolute = sum[SUM-1] ? {SUM{1'b0}} - sum : sum;
  assign whole    = scale == SCALE'(1) ? (SUM+SCALE)'(absolute)
                                       : (SUM+SCALE)'(absolute[SCALE_SUM-2:0]) * (SUM+SCALE)'(scale);
  assign product  = whole[TERM-1:0];
  assign possible = sum != {1'b1, {(SUM-1){1'b0}}} && (scale == SCALE'(1) || absolute >> (SCALE_SUM - 1) == '0);
  assign wrong = possible && (negative != sum[SUM-1] || whole >> TERM != '0 || significand != expected
                           || top_exponent != expected_exponent);
endmodule

// Whether `magnitude`, a binary32 without sign, is the rounding of the exact number
//   v = {significand, sticky} · 2^(exponent - 127 - (BITS-1)); sticky, a half of the lowest place, stands for all below it.
// ROUNDING 2, to nearest: v lies not beyond the middles between the number and the codes before and behind it, and on a
// middle only where the code is even. Inf counts as 2^128, which would follow. 0 toward zero: v lies between the number
// and the code behind; 1 the same of the codes with 13 fraction bits.
module is_rounded #(
  parameter int BITS = 24,
  parameter int ROUNDING = 2
) (
  input  logic [BITS-1:0]   significand,
  input  logic              sticky,
  input  logic signed [9:0] exponent,  // biased, of the top bit
  input  logic [30:0]       magnitude,
  output logic              right
);
  // All numbers are integers in units of 2^(e - 127 - (BITS-1) - 35), e the binade: v has its bits at 34 and above, so
  // that 30 places below the least exponent nothing is lost; still lower it is one unit, less than half of 2^-149.
  localparam int WIDE  = BITS + 64;
  localparam int PLACE = BITS - 1 + 35 - 23;  // lowest place of a binary32 in the same binade
  localparam int STEP  = ROUNDING == 1 ? 1024 : 1;
  logic signed [31:0] binade, below;
  logic [WIDE-1:0]    whole, v, here, before, behind;
  assign binade = exponent < 10'sd1 ? 1 : 32'(exponent);
  assign below  = exponent < 10'sd1 ? 1 - 32'(exponent) : 0;
  assign whole  = {{(WIDE-BITS-35){1'b0}}, significand, sticky, 34'b0};
  assign v      = below > 30 ? {{(WIDE-1){1'b0}}, whole != '0} : whole >> below[4:0];

  function automatic logic [WIDE-1:0] number(input logic [31:0] code, input logic signed [31:0] at);
    logic signed [31:0] field;
    field  = code[30:23] == 8'd0 ? 1 : {24'b0, code[30:23]};
    number = code == 32'd0 ? '0
           : field > at + 2 ? {1'b1, {(WIDE-1){1'b0}}}            // far above
           : field < at - 2 ? {{(WIDE-1){1'b0}}, 1'b1}            // far below
           : {{(WIDE-24){1'b0}}, code[30:23] != 8'd0, code[22:0]} << (PLACE + field - at);
  endfunction
  assign here   = number({1'b0, magnitude}, binade);
  assign before = number({1'b0, magnitude} - 32'd1, binade);
  assign behind = number({1'b0, magnitude} + 32'(STEP), binade);

  logic first, last, a_code, enough, not_more;
  assign first  = magnitude == '0;
  assign last   = magnitude == 31'h7f80_0000;
  assign a_code = magnitude <= 31'h7f80_0000 && (ROUNDING != 1 || magnitude[9:0] == '0);
  if (ROUNDING == 2) begin : gen_nearest
    logic [WIDE:0] twice, low_middle, high_middle;
    assign twice       = {v, 1'b0};
    assign low_middle  = {1'b0, here} + {1'b0, before};
    assign high_middle = {1'b0, here} + {1'b0, behind};
    assign enough      = first || twice > low_middle || (twice == low_middle && !magnitude[0]);
    assign not_more    = last || twice < high_middle || (twice == high_middle && !magnitude[0]);
  end else begin : gen_toward_zero
    assign enough   = v >= here;
    assign not_more = last || v < behind;
  end
  assign right = a_code && enough && not_more;
endmodule

module prove_round #(
  parameter int ROUNDING = 2,
  parameter bit FAULTS = 1'b0,
  parameter int FAULT  = 0
) (
  input  logic [23:0] significand,
  input  logic        guard, rest,
  input  logic [8:0]  exponent,
  output logic        wrong
);
  logic [30:0] magnitude;
  logic        right;
  fp32_round #(.ROUNDING(ROUNDING), .FAULTS(FAULTS)) dut (
    .significand_i(significand), .guard_i(guard), .rest_i(rest), .exponent_i(exponent), .fault_i(5'(FAULT)),
    .magnitude_o(magnitude)
  );
  is_rounded #(.BITS(25), .ROUNDING(ROUNDING)) definition (
    .significand({significand, guard}), .sticky(rest), .exponent(10'({1'b0, exponent}) + 10'sd1), .magnitude,
    .right
  );
  // Only the least exponent has no hidden bit; 511 is not reached.
  assign wrong = (significand[23] || exponent == '0) && exponent < 9'd510 && !right;
endmodule

module prove_from_term #(
  parameter int TERM = 41,
  parameter int ROUNDING = 2,
  parameter bit FTZ = 1'b0,
  parameter bit FAULTS = 1'b0,
  parameter int FAULT  = 0
) (
  input  logic [TERM-1:0]   significand,
  input  logic              sticky,
  input  logic signed [9:0] exponent,
  output logic              wrong
);
  logic [30:0] magnitude, unflushed;
  logic        right;
  fp32_from_term #(.TERM_BITS(TERM), .ROUNDING(ROUNDING), .FTZ(FTZ), .FAULTS(FAULTS)) dut (
    .significand_i(significand), .sticky_i(sticky), .exponent_i(exponent), .fault_i(5'(FAULT)), .magnitude_o(magnitude)
  );
  if (FTZ) begin : gen_ftz
    fp32_from_term #(.TERM_BITS(TERM), .ROUNDING(ROUNDING)) u_unflushed (
      .significand_i(significand), .sticky_i(sticky), .exponent_i(exponent), .fault_i(5'd0), .magnitude_o(unflushed)
    );
    assign right = magnitude == (unflushed < 31'h0080_0000 ? 31'd0 : unflushed);
  end else begin : gen_rounded
    assign unflushed = '0;
    is_rounded #(.BITS(TERM), .ROUNDING(ROUNDING)) definition (.significand, .sticky, .exponent, .magnitude, .right);
  end
  // Zero comes with the least exponent at most; a sticky bit only below 25 bits: it must not hide a guard bit.
  assign wrong = (significand[TERM-1] || (significand == '0 && !sticky && exponent <= 10'sd1))
              && (TERM >= 25 || !sticky) && exponent < 10'sd511 && !right;
endmodule

// bfloat16 and binary16 of a binary32: nearest by exact integers; NaN; the sign; binary32 unchanged.
module prove_to_16 #(
  parameter int TYPE = 1
) (
  input  logic [31:0] value,
  output logic        wrong
);
  logic [31:0] result;
  fp32_to_16 dut (.value_i(value), .type_i(2'(TYPE)), .result_o(result));
  localparam int M = TYPE == 1 ? 7 : 10;  // fraction bits
  localparam logic [14:0] INF = TYPE == 1 ? 15'h7f80 : 15'h7c00;
  localparam int WIDE = 72;
  logic            nan;
  logic [WIDE-1:0] v, here, before, behind;
  logic [WIDE:0]   low_middle, high_middle;
  logic [14:0]     r;
  assign nan = value[30:0] > 31'h7f80_0000;
  assign r   = result[14:0];
  if (TYPE == 1) begin : gen_bfloat16
    // Codes of binary32 count equal steps between two neighbours, which are codes with 16 zeros.
    assign v      = WIDE'(value[30:0]);
    assign here   = WIDE'(r) << 16;
    assign before = here - (WIDE'(1) << 16);
    assign behind = here + (WIDE'(1) << 16);
  end else begin : gen_binary16
    // In units of 2^-49; what is below 2^-26 is taken for a unit, what is not below 2^16 for 2^16.
    logic [7:0] e;
    assign e = value[30:23];
    assign v = value[30:0] == '0 ? '0 : e < 8'd101 ? WIDE'(1) : e >= 8'd143 ? WIDE'(1) << 65
             : {{(WIDE-24){1'b0}}, 1'b1, value[22:0]} << (e - 8'd101);
    assign here   = r[14:10] == '0 ? WIDE'(r) << 25 : {{(WIDE-11){1'b0}}, 1'b1, r[9:0]} << (24 + {27'b0, r[14:10]});
    logic [14:0] p, q;
    assign p = r - 1'b1;
    assign q = r + 1'b1;
    assign before = p[14:10] == '0 ? WIDE'(p) << 25 : {{(WIDE-11){1'b0}}, 1'b1, p[9:0]} << (24 + {27'b0, p[14:10]});
    assign behind = q[14:10] == '0 ? WIDE'(q) << 25 : {{(WIDE-11){1'b0}}, 1'b1, q[9:0]} << (24 + {27'b0, q[14:10]});
  end
  assign low_middle  = {1'b0, here} + {1'b0, before};
  assign high_middle = {1'b0, here} + {1'b0, behind};
  logic nearest;
  assign nearest = r <= INF
                && (r == '0 || {v, 1'b0} > low_middle || ({v, 1'b0} == low_middle && !r[0]))
                && (r == INF || {v, 1'b0} < high_middle || ({v, 1'b0} == high_middle && !r[0]));
  if (TYPE == 0) begin : gen_itself
    assign wrong = result != value;
  end else begin : gen_half
    assign wrong = result[31:16] != '0
                || (nan ? result[15:0] != (TYPE == 1 ? 16'h7fc0 : 16'h7e00)
                        : result[15] != value[31] || !nearest);
  end
endmodule
