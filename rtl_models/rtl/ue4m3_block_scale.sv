// The ue4m3 scale of a block under a tensor scale g (ARITHMETIC §6): a / (6·g) of its largest
// magnitude a, rounded to nearest, ties to even, at most the largest number and at least the least
// one; and the divisor of the block's elements, scale · g, exactly. Combinational.
module ue4m3_block_scale #(
  parameter bit FAULTS = 1'b0,
  localparam int DivisorBits = mx_quantize_pkg::DivisorBits,
  localparam int Bits        = mx_quantize_pkg::DifferenceBits
) (
  input  logic [mx_quantize_pkg::PartsBits-1:0] max_i,  // as fp32_unpack gives it
  input  logic [31:0]                           tensor_scale_i,  // a positive normal number
  input  logic [mx_pkg::QuantizeFaultBits-1:0]  fault_i,
  output logic [7:0]                            code_o,      // of a zero maximum the least number
  output logic [DivisorBits-1:0]                divisor_o,   // its leading bit on top
  output logic signed [Bits-1:0]                exponent_o   // of that bit
);
  localparam logic [mx_pkg::NumFormats-1:0] NUMBERS = mx_pkg::Ue4m3Numbers;
  localparam int FORMAT      = mx_quantize_pkg::first(NUMBERS);
  localparam int SIGNIFICAND = mx_quantize_pkg::SignificandBits;
  localparam int STEPS       = mx_quantize_pkg::division_steps(NUMBERS);
  localparam int QUOTIENT    = mx_quantize_pkg::quotient_bits(NUMBERS);
  localparam int SHIFT       = mx_width_pkg::shift_bits(NUMBERS);
  localparam logic signed [Bits-1:0] EMIN =
      {{(Bits-8){mx_pkg::Emin[FORMAT*8+7]}}, mx_pkg::Emin[FORMAT*8 +: 8]};

  logic zero_stays;  // planted fault
  assign zero_stays = FAULTS && fault_i == mx_pkg::QuantizeFaultScaleOfZero;

  logic [mx_quantize_pkg::ExponentBits-1:0] max_exponent;
  logic [SIGNIFICAND-1:0]                   max_significand, g_significand;
  logic signed [Bits-1:0]                   g_exponent;
  assign {max_exponent, max_significand} = max_i;
  assign g_significand = {1'b1, tensor_scale_i[22:0]};
  assign g_exponent    = Bits'(tensor_scale_i[30:23]) - Bits'(127);
  logic unused_sign;
  assign unused_sign = tensor_scale_i[31];

  // --- the divisor 6·g: 3·g with its leading bit on top, times a power of two
  localparam int SIXFOLD = SIGNIFICAND + 2;
  logic [SIXFOLD-1:0]     threefold, sixfold;
  logic signed [Bits-1:0] sixfold_exponent;
  assign threefold        = {1'b0, g_significand, 1'b0} + SIXFOLD'(g_significand);
  assign sixfold          = threefold[SIXFOLD-1] ? threefold : {threefold[SIXFOLD-2:0], 1'b0};
  assign sixfold_exponent = g_exponent + (threefold[SIXFOLD-1] ? Bits'(3) : Bits'(2));

  // --- the quotient, and its code
  logic [STEPS-1:0]                     quotient;
  logic [SIXFOLD:0]                     remainder;
  logic signed [Bits-1:0]               quotient_exponent;
  logic [mx_pkg::CodeBits-1:0]          nearest;
  logic [QUOTIENT+STEPS-1:0]            word;
  logic [QUOTIENT:0]                    rounded;
  logic [SHIFT-1:0]                     binade;
  logic                                 beyond;
  divide_steps #(
    .DIVISOR_BITS(SIXFOLD),
    .STEPS       (STEPS)
  ) u_divide (
    .remainder_i({1'b0, max_significand, 2'b00}),
    .divisor_i  (sixfold),
    .quotient_o (quotient),
    .remainder_o(remainder)
  );
  assign quotient_exponent = Bits'(max_exponent) + Bits'(mx_quantize_pkg::Lowest)
                           - sixfold_exponent - EMIN;
  mx_encode #(
    .FORMATS      (NUMBERS),
    .EXACT_BITS   (STEPS),
    .FRACTION_BITS(STEPS),
    .STOCHASTIC   (1'b0),
    .FAULTS       (FAULTS)
  ) u_encode (
    .format_i  (mx_pkg::FormatBits'(FORMAT)),
    .rounding_i(mx_pkg::RoundRne),
    .negative_i(1'b0),
    .exact_i   (quotient),
    .rest_i    (remainder != '0),
    .exponent_i(quotient_exponent),
    .random_i  ({mx_quantize_pkg::RandomBits{1'b0}}),
    .fault_i,
    .code_o    (nearest),
    .word_o    (word),
    .rounded_o (rounded),
    .binade_o  (binade),
    .beyond_o  (beyond)
  );
  // CHOICE: the least number where it would be zero.
  logic [mx_pkg::CodeBits-1:0] least;
  assign least  = nearest == '0 ? mx_pkg::CodeBits'(1) : nearest;
  assign code_o = zero_stays ? nearest : least;
  logic unused_word;
  assign unused_word = ^{word, rounded, binade, beyond};

  // --- the divisor of the elements
  localparam int NUMBER    = mx_quantize_pkg::ScaleSignificandBits;
  localparam int ZEROS     = $clog2(NUMBER + 1);
  logic                   normal;
  logic [NUMBER-1:0]      number, significand;
  logic [ZEROS-1:0]       zeros;
  logic [DivisorBits-1:0] product;
  logic signed [Bits-1:0] product_exponent;
  assign normal = least[6:3] != '0;
  assign number = {normal, least[2:0]};
  leading_zeros #(
    .WIDTH(NUMBER)
  ) u_leading_zeros (
    .word_i (number),
    .count_o(zeros)
  );
  assign significand      = number << zeros;
  assign product          = DivisorBits'(significand) * DivisorBits'(g_significand);
  assign product_exponent = (normal ? Bits'(least[6:3]) - Bits'(1) : '0) + EMIN - Bits'(zeros)
                          + g_exponent;
  assign divisor_o  = product[DivisorBits-1] ? product : {product[DivisorBits-2:0], 1'b0};
  assign exponent_o = product_exponent + Bits'(product[DivisorBits-1]);

endmodule
