// One lane of the dequantizer: a code, and what is known of its block's scale → the exact value as
// a significand with its leading bit on top, and its biased binary32 exponent. Combinational.
//
// Under an e8m0 scale the value is code · 4·2^k with p = 1 and code · 4/3 · 4·2^k with p = 3/4: a
// third is an endless fraction of two bits that repeat, so that its first bits and the mark that
// more follow round as the whole does. Under a tensor scale it is code · (scale · g).
module mx_dequantize_lane #(
  parameter logic [mx_pkg::NumFormats-1:0] FORMATS = mx_pkg::AllFormats,
  parameter bit MULTIPLIES = 1'b1,  // 0: a lane behind the last of a block with a tensor scale
  parameter bit FAULTS = 1'b0,
  localparam int WordBits = mx_quantize_pkg::value_bits(FORMATS)
) (
  input  logic [mx_pkg::FormatBits-1:0]           format_i,
  input  logic [mx_pkg::CodeBits-1:0]             code_i,
  input  logic                                    prescale_i,    // divided by 3/4
  input  logic                                    multiplies_i,  // the block has a tensor scale
  input  logic [mx_quantize_pkg::DivisorBits-1:0] factor_i,      // scale · g
  // Biased, of the word's lowest bit, for an element in the format's units.
  input  logic signed [mx_pkg::ExponentWidth-1:0] exponent_i,
  input  logic [mx_pkg::QuantizeFaultBits-1:0]    fault_i,
  output logic [WordBits-1:0]                     significand_o,  // 0 for zero
  output logic                                    sticky_o,       // it is larger than that
  output logic signed [mx_pkg::ExponentWidth-1:0] exponent_o,
  output logic                                    negative_o,
  output logic                                    inf_o,
  output logic                                    nan_o
);
  localparam int BITS  = mx_width_pkg::significand_bits(FORMATS);
  localparam int SHIFT = mx_width_pkg::shift_bits(FORMATS);
  localparam int ZEROS = $clog2(WordBits + 1);

  logic truncates, inf_is_nan;  // planted faults
  assign truncates  = FAULTS && fault_i == mx_pkg::QuantizeFaultThirdTruncated;
  assign inf_is_nan = FAULTS && fault_i == mx_pkg::QuantizeFaultInfIsNan;

  logic             inf, nan, unused_nonzero;
  logic [BITS-1:0]  significand;
  logic [SHIFT-1:0] shift;
  mx_decode #(
    .FORMATS(FORMATS)
  ) u_decode (
    .format_i,
    .code_i,
    .fault_i  ({mx_pkg::FaultBits{1'b0}}),
    .element_o({inf, negative_o, unused_nonzero, significand, shift}),
    .nan_o    (nan)
  );
  assign inf_o = inf && !inf_is_nan;
  assign nan_o = nan || (inf && inf_is_nan);

  // --- code / p
  logic [WordBits-1:0] quotient, product, word;
  logic                third;  // a third is left over
  if (mx_quantize_pkg::has_mx(FORMATS)) begin : gen_quotient
    // 4/3 · n = n + n/3; n below 2^8: floor(n/3) is floor(171·n / 2^9).
    localparam int FRACTION = mx_quantize_pkg::ThirdBits;
    logic [15:0]       scaled;
    logic [BITS:0]     whole;
    logic [1:0]        rest;
    logic [FRACTION-1:0] fraction;
    assign scaled   = 16'(significand) * 16'd171;
    assign whole    = (BITS+1)'(significand) + (prescale_i ? (BITS+1)'(scaled[15:9]) : '0);
    assign rest     = prescale_i ? significand[1:0] - {scaled[9] ^ scaled[10], scaled[9]} : 2'd0;
    assign third    = rest != '0 && !truncates;
    assign fraction = {(FRACTION/2){rest}};
    assign quotient = WordBits'({whole, fraction});
    logic unused_low;
    assign unused_low = ^scaled[8:0];
  end else begin : gen_no_quotient
    logic unused_prescale;
    assign unused_prescale = prescale_i ^ truncates;
    assign quotient = '0;
    assign third    = 1'b0;
  end

  // --- code · (scale · g)
  if (mx_quantize_pkg::has_tensor_scale(FORMATS) && MULTIPLIES) begin : gen_product
    localparam int FACTOR = mx_quantize_pkg::factor_bits(FORMATS);
    assign product = WordBits'(significand[FACTOR-1:0]) * WordBits'(factor_i);
  end else begin : gen_no_product
    logic unused_factor;
    assign unused_factor = ^factor_i;
    assign product       = '0;
  end
  assign word     = multiplies_i ? product : quotient;
  assign sticky_o = !multiplies_i && third;

  logic [ZEROS-1:0] zeros;
  leading_zeros #(
    .WIDTH(WordBits)
  ) u_leading_zeros (
    .word_i (word),
    .count_o(zeros)
  );
  assign significand_o = word << zeros;
  // Of zero one that its significand does not change.
  assign exponent_o    = word == '0 ? mx_pkg::ExponentWidth'(1)
                       : exponent_i + mx_pkg::ExponentWidth'({1'b0, shift})
                         + mx_pkg::ExponentWidth'(WordBits - 1)
                         - mx_pkg::ExponentWidth'({1'b0, zeros});

endmodule
