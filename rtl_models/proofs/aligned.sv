// Proofs of the datapath `aligned` (ARITHMETIC §4): a term, and a step.

// A term of GROUP products of one format, from codes. Its value is the exact sum of products times the scales, its
// exponent the sum of the elements' and the scales' (of a group: of the scales' alone), not normalised.
module prove_aligned_term #(
  parameter logic [6:0] FORMATS = 7'h7f,
  parameter int ONLY  = 7,     // 7: the formats of the ports
  parameter int ONLY_B = ONLY,
  parameter int GROUP = 1,
  parameter bit FAULTS = 1'b0,
  parameter int FAULT  = 0
) (
  input  logic [2:0]         a_format, b_format,
  input  logic [GROUP*8-1:0] a_code, b_code,
  input  logic [7:0]         a_scale, b_scale,
  output logic               wrong
);
  localparam int N     = mx_width_pkg::number_bits(FORMATS);
  localparam int SCALE = mx_width_pkg::scale_bits(FORMATS, FORMATS);
  localparam int TERM  = mx_width_pkg::aligned_term_bits(FORMATS, FORMATS, GROUP);
  logic [2:0] fa, fb;
  assign fa = ONLY < 7 ? 3'(ONLY) : a_format;
  assign fb = ONLY_B < 7 ? 3'(ONLY_B) : b_format;

  logic [GROUP*3-1:0] a_flags, b_flags;  // {inf, negative, nonzero}, each of all lanes
  logic [GROUP*N-1:0] a, b;
  logic [GROUP-1:0]   a_nan, b_nan;
  logic [SCALE-1:0]   scale_significand;
  logic signed [9:0]  scale_exponent, exponent, lowest;
  logic               scale_nan, zero, negative, inf, inf_negative, nan;
  logic [TERM-1:0]    magnitude;
  mx_scale #(.A_FORMATS(FORMATS), .B_FORMATS(FORMATS)) u_scale (
    .a_format_i(fa), .b_format_i(fb), .a_scale_i(a_scale), .b_scale_i(b_scale), .fault_i(5'd0),
    .significand_o(scale_significand), .exponent_o(scale_exponent), .nan_o(scale_nan)
  );
  mx_aligned_term #(.A_FORMATS(FORMATS), .B_FORMATS(FORMATS), .GROUP(GROUP), .FAULTS(FAULTS)) dut (
    .a_i({a_flags, a}), .b_i({b_flags, b}), .a_format_i(fa), .b_format_i(fb), .scale_significand_i(scale_significand),
    .scale_exponent_i(scale_exponent), .fault_i(5'(FAULT)), .zero_o(zero), .negative_o(negative),
    .magnitude_o(magnitude), .exponent_o(exponent), .lowest_o(lowest), .inf_o(inf), .inf_negative_o(inf_negative),
    .nan_o(nan)
  );

  // Products in units of both formats, and the exponents of their elements.
  logic [GROUP-1:0]     nonzero, finite;
  logic [GROUP*100-1:0] partial;
  for (genvar i = 0; i < GROUP; i++) begin : gen_product
    logic [99:0] va, vb, product;
    mx_decode #(.FORMATS(FORMATS)) u_a (
      .format_i(fa), .code_i(a_code[i*8 +: 8]), .fault_i(5'd0), .nan_o(a_nan[i]),
      .element_o({a_flags[2*GROUP+i], a_flags[GROUP+i], a_flags[i], a[i*N +: N]})
    );
    mx_decode #(.FORMATS(FORMATS)) u_b (
      .format_i(fb), .code_i(b_code[i*8 +: 8]), .fault_i(5'd0), .nan_o(b_nan[i]),
      .element_o({b_flags[2*GROUP+i], b_flags[GROUP+i], b_flags[i], b[i*N +: N]})
    );
    assign va = 100'(spec_pkg::magnitude(fa, a_code[i*8 +: 8])) >> (16 + spec_pkg::unit_log2(fa));
    assign vb = 100'(spec_pkg::magnitude(fb, b_code[i*8 +: 8])) >> (16 + spec_pkg::unit_log2(fb));
    assign product    = va * vb;
    assign nonzero[i] = va != '0 && vb != '0;
    assign finite[i]  = !spec_pkg::nan(fa, a_code[i*8 +: 8]) && !spec_pkg::nan(fb, b_code[i*8 +: 8])
                     && !spec_pkg::inf(fa, a_code[i*8 +: 8]) && !spec_pkg::inf(fb, b_code[i*8 +: 8]);
    logic [99:0] term;
    assign term = spec_pkg::negative(fa, a_code[i*8 +: 8]) ^ spec_pkg::negative(fb, b_code[i*8 +: 8]) ? -product
                                                                                                       : product;
    if (i == 0) begin : gen_first
      assign partial[99:0] = term;
    end else begin : gen_next
      assign partial[i*100 +: 100] = partial[(i-1)*100 +: 100] + term;
    end
  end
  logic [99:0] sum, absolute, scales, value, expected;
  assign sum      = partial[GROUP*100-1 -: 100];
  assign absolute = sum[99] ? -sum : sum;

  // Scales: of ue4m3 in units of 2^-9 each.
  logic               ue4m3, possible;
  logic signed [31:0] scales_exponent, scales_lowest, place, sum_exponent;
  assign ue4m3 = fa == 3'd6;
  assign scales = ue4m3 ? 100'(spec_pkg::magnitude(3'd3, {1'b0, a_scale[6:0]}) >> 7)
                        * 100'(spec_pkg::magnitude(3'd3, {1'b0, b_scale[6:0]}) >> 7) : 100'd1;
  assign scales_lowest   = ue4m3 ? -18 : $signed({24'b0, a_scale}) + $signed({24'b0, b_scale}) - 254;
  assign scales_exponent = ue4m3 ? spec_pkg::exponent(3'd3, {1'b0, a_scale[6:0]})
                                 + spec_pkg::exponent(3'd3, {1'b0, b_scale[6:0]}) : scales_lowest;
  assign sum_exponent = 127 + scales_exponent
                      + (GROUP > 1 ? 0 : spec_pkg::exponent(fa, a_code[7:0]) + spec_pkg::exponent(fb, b_code[7:0]));
  // magnitude · 2^lowest, in units of the sum's and the scales'.
  assign place    = 32'(lowest) - (127 + scales_lowest + spec_pkg::unit_log2(fa) + spec_pkg::unit_log2(fb));
  assign value    = 100'(magnitude) << place[6:0];
  assign expected = absolute * scales;
  assign possible = fa != 3'd7 && fb != 3'd7 && (fa == 3'd6) == (fb == 3'd6) && !scale_nan && &finite;
  assign wrong = possible
              && (inf || nan || zero != (nonzero == '0 || scales == '0)
               || (!zero && (value != expected || place < 0 || place > 60 || 32'(exponent) != sum_exponent
                          || (absolute != '0 && negative != sum[99]))));
endmodule

// A step of TERMS terms: each number is floor(magnitude · 2^FRACTION / 2^distance) in a wide register; the sum is rounded
// by fp32_term and fp32_from_term, which have proofs of their own.
module prove_aligned_step #(
  parameter int TERMS = 1,
  parameter int TERM  = 6,
  parameter int INTEGER = 2,
  parameter int FRACTION = 4,
  parameter int E_ZERO = -133,
  parameter int ROUNDING = 0,
  parameter bit FAULTS = 1'b0,
  parameter int FAULT  = 0
) (
  input  logic [31:0]           acc,
  input  logic [TERMS-1:0]      negative,
  input  logic [TERMS*TERM-1:0] magnitude,
  input  logic [TERMS*10-1:0]   exponent,  // of each term, biased
  output logic                  wrong
);
  // A magnitude has INTEGER places above the binary point of its exponent, the others below.
  localparam int BELOW = TERM - INTEGER;
  logic [TERMS*10-1:0] lowest;
  logic                any_zero, possible;
  logic signed [9:0]   greatest;
  logic [31:0]         result;
  mx_aligned_accumulate #(
    .TERMS(TERMS), .TERM_BITS(TERM), .INTEGER_BITS(INTEGER), .FRACTION_BITS(FRACTION), .E_ZERO(E_ZERO),
    .ROUNDING(ROUNDING), .FAULTS(FAULTS)
  ) dut (
    .acc_i(acc), .negative_i(negative), .magnitude_i(magnitude), .lowest_i(lowest), .greatest_i(greatest),
    .zero_i(any_zero), .inf_positive_i(1'b0), .inf_negative_i(1'b0), .nan_i(1'b0), .fault_i(5'(FAULT)),
    .acc_o(result)
  );
  localparam int WIDE = INTEGER + FRACTION + 6 > 26 ? INTEGER + FRACTION + 6 : 26;

  // Exponents as they enter, and the largest.
  logic signed [31:0] acc_exponent, largest;
  logic signed [31:0] entering;
  always_comb begin
    acc_exponent = acc[30:0] == '0 ? E_ZERO + 127 : acc[30:23] == '0 ? 1 : {24'b0, acc[30:23]};
    largest      = acc_exponent;
    greatest     = -10'sd512;
    any_zero     = 1'b0;
    possible     = acc[30:23] != 8'hff;
    for (int t = 0; t < TERMS; t = t + 1) begin
      entering = magnitude[t*TERM +: TERM] == '0 ? E_ZERO + 127
               : {{22{exponent[t*10+9]}}, exponent[t*10 +: 10]};
      if (entering > largest) largest = entering;
      if (magnitude[t*TERM +: TERM] == '0) any_zero = 1'b1;
      else if ($signed(exponent[t*10 +: 10]) > greatest) greatest = exponent[t*10 +: 10];
      // Room for the exponents of what comes out.
      possible = possible && entering >= -200 && entering <= 420;
      lowest[t*10 +: 10] = exponent[t*10 +: 10] - 10'(BELOW);
    end
  end
  // floor(m · 2^(FRACTION - below + e - largest)) = floor(m · 2^FRACTION / 2^(below + largest - e)).
  function automatic logic [63:0] truncated(input logic [63:0] m, input logic signed [31:0] below,
                                            input logic signed [31:0] down);
    truncated = down + below > 63 ? 64'd0 : (m << FRACTION) >> (down + below);
  endfunction
  logic [WIDE-1:0] sum;
  logic [63:0]     part;
  always_comb begin
    part = truncated({40'b0, acc[30:23] != '0, acc[22:0]}, 32'd23, largest - acc_exponent);
    sum  = acc[31] ? {WIDE{1'b0}} - WIDE'(part) : WIDE'(part);
    for (int t = 0; t < TERMS; t = t + 1) begin
      part = magnitude[t*TERM +: TERM] == '0 ? 64'd0
           : truncated({{(64-TERM){1'b0}}, magnitude[t*TERM +: TERM]}, BELOW,
                       largest - {{22{exponent[t*10+9]}}, exponent[t*10 +: 10]});
      sum  = negative[t] ? sum - WIDE'(part) : sum + WIDE'(part);
    end
  end
  logic              sum_negative;
  logic [WIDE-2:0]   significand;
  logic signed [9:0] top;
  logic [30:0]       rounded;
  fp32_term #(.SUM_BITS(WIDE), .TERM_BITS(WIDE-1)) u_exact (
    .sum_i(sum), .scale_significand_i(1'b0), .exponent_i(10'(largest - FRACTION)), .negative_o(sum_negative),
    .significand_o(significand), .exponent_o(top)
  );
  fp32_from_term #(.TERM_BITS(WIDE-1), .ROUNDING(ROUNDING)) u_rounded (
    .significand_i(significand), .sticky_i(1'b0), .exponent_i(top), .fault_i(5'd0), .magnitude_o(rounded)
  );
  assign wrong = possible && result != {sum_negative && rounded != '0, rounded};
endmodule
