// One lane of the quantizer: an element of a block and the block's scale → its code, and what the
// code gains in the search for the least error. Combinational, but that a quotient under a tensor
// scale that a stochastic rounding needs is made a few bits a cycle.
module mx_quantize_lane #(
  parameter logic [mx_pkg::NumFormats-1:0] FORMATS = mx_pkg::AllFormats,
  parameter bit WITH_MSE        = 1'b1,
  parameter bit WITH_STOCHASTIC = 1'b1,
  parameter bit DIVIDES         = 1'b1,  // 0: a lane behind the last of a block with a tensor scale
  parameter bit FAULTS = 1'b0,
  localparam int GainBits  = mx_quantize_pkg::gain_bits(FORMATS),
  localparam int ShiftBits = mx_width_pkg::shift_bits(FORMATS)
) (
  input  logic                                              clk_i,
  input  logic [mx_pkg::FormatBits-1:0]                     format_i,
  input  logic [mx_pkg::RoundBits-1:0]                      rounding_i,
  input  logic                                              prescale_i,  // times 3/4
  input  logic [mx_quantize_pkg::ElementBits-1:0]           element_i,
  // Of the block: the exponent of the format's least normal number under its scale, counted as an
  // element's; its divisor, where it has one.
  input  logic signed [mx_quantize_pkg::DifferenceBits-1:0] base_i,
  input  logic                                              divides_i,
  input  logic [mx_quantize_pkg::DivisorBits-1:0]           divisor_i,
  // The division: its first cycle, and each in which it goes on.
  input  logic                                              first_i,
  input  logic                                              goes_on_i,
  input  logic [mx_quantize_pkg::RandomBits-1:0]            random_i,
  input  logic [mx_pkg::QuantizeFaultBits-1:0]              fault_i,
  output logic [mx_pkg::CodeBits-1:0]                       code_o,
  output logic [GainBits-1:0]                               gain_o,
  output logic [ShiftBits-1:0]                              binade_o
);
  localparam int SIGNIFICAND = mx_quantize_pkg::SignificandBits;
  localparam int DIFFERENCE  = mx_quantize_pkg::DifferenceBits;
  localparam int EXACT       = mx_quantize_pkg::exact_bits(FORMATS, WITH_STOCHASTIC);
  localparam int FRACTION    = mx_quantize_pkg::fraction_bits(FORMATS, WITH_STOCHASTIC);
  localparam int QUOTIENT    = mx_quantize_pkg::quotient_bits(FORMATS);

  logic                                     negative;
  logic [mx_quantize_pkg::ExponentBits-1:0] exponent;
  logic [SIGNIFICAND-1:0]                   significand;
  assign {negative, exponent, significand} = element_i;

  // --- x·p
  logic [EXACT-1:0] product;
  if (mx_quantize_pkg::has_mx(FORMATS)) begin : gen_product
    logic [mx_quantize_pkg::ProductBits-1:0] fourfold;  // 4·p·x
    assign fourfold = prescale_i ? {1'b0, significand, 1'b0} + {2'b00, significand}
                                 : {significand, 2'b00};
    assign product  = EXACT'(fourfold) << (EXACT - mx_quantize_pkg::ProductBits);
  end else begin : gen_no_product
    logic unused_prescale;
    assign unused_prescale = prescale_i;
    assign product         = '0;
  end

  // --- x / (scale · g)
  logic [EXACT-1:0] quotient;
  logic             rest;
  if (mx_quantize_pkg::has_tensor_scale(FORMATS) && DIVIDES) begin : gen_quotient
    localparam int DIVISOR = mx_quantize_pkg::DivisorBits;
    localparam int STEPS   = mx_quantize_pkg::element_steps(FORMATS);
    localparam int LONG    = STEPS * mx_quantize_pkg::division_cycles(FORMATS);
    logic forgets_rest;  // planted fault
    assign forgets_rest = FAULTS && fault_i == mx_pkg::QuantizeFaultQuotientRest;

    logic [STEPS-1:0] bits;
    logic [EXACT-1:0] short_quotient;
    logic [DIVISOR:0] remainder, remainder_next;
    divide_steps #(
      .DIVISOR_BITS(DIVISOR),
      .STEPS       (STEPS)
    ) u_divide (
      .remainder_i(remainder),
      .divisor_i,
      .quotient_o (bits),
      .remainder_o(remainder_next)
    );
    assign short_quotient = EXACT'(bits) << (EXACT - STEPS);
    if (WITH_STOCHASTIC) begin : gen_long
      logic [DIVISOR:0] remainder_q;
      logic [LONG-1:0]  quotient_q;
      logic             is_long;
      always_ff @(posedge clk_i) begin
        if (goes_on_i) begin
          remainder_q <= remainder_next;
          quotient_q  <= {quotient_q[LONG-STEPS-1:0], bits};
        end
      end
      assign remainder = first_i ? {1'b0, significand, {(DIVISOR-SIGNIFICAND){1'b0}}} : remainder_q;
      assign is_long   = rounding_i == mx_pkg::RoundStochastic;
      assign quotient  = is_long ? EXACT'(quotient_q) << (EXACT - LONG) : short_quotient;
      assign rest      = divides_i && remainder_next != '0 && !is_long && !forgets_rest;
    end else begin : gen_short
      logic unused_cycles;
      assign unused_cycles = ^{clk_i, first_i, goes_on_i};
      assign remainder     = {1'b0, significand, {(DIVISOR-SIGNIFICAND){1'b0}}};
      assign quotient      = short_quotient;
      assign rest          = divides_i && remainder_next != '0 && !forgets_rest;
    end
  end else begin : gen_no_quotient
    logic unused_division;
    assign unused_division = ^{clk_i, divides_i, divisor_i, first_i, goes_on_i};
    assign quotient        = '0;
    assign rest            = 1'b0;
  end

  logic [EXACT-1:0]             exact;
  logic signed [DIFFERENCE-1:0] above_base;
  assign above_base = DIFFERENCE'(exponent) - base_i;
  if (!mx_quantize_pkg::has_tensor_scale(FORMATS) || !DIVIDES) begin : gen_always_product
    logic unused_quotient;
    assign unused_quotient = ^quotient;
    assign exact           = product;
  end else if (!mx_quantize_pkg::has_mx(FORMATS)) begin : gen_always_quotient
    logic unused_product;
    assign unused_product = ^product;
    assign exact          = quotient;
  end else begin : gen_either
    assign exact = divides_i ? quotient : product;
  end

  logic [QUOTIENT+FRACTION-1:0] word;
  logic [QUOTIENT:0]            rounded;
  logic                         beyond;
  mx_encode #(
    .FORMATS      (FORMATS),
    .EXACT_BITS   (EXACT),
    .FRACTION_BITS(FRACTION),
    .STOCHASTIC   (WITH_STOCHASTIC),
    .FAULTS       (FAULTS)
  ) u_encode (
    .format_i,
    .rounding_i,
    .negative_i(negative),
    .exact_i   (exact),
    .rest_i    (rest),
    .exponent_i(above_base),
    .random_i,
    .fault_i,
    .code_o,
    .word_o    (word),
    .rounded_o (rounded),
    .binade_o,
    .beyond_o  (beyond)
  );

  if (WITH_MSE) begin : gen_gain
    mx_mse_gain #(
      .QUOTIENT_BITS(QUOTIENT),
      .FRACTION_BITS(FRACTION),
      .FAULTS       (FAULTS)
    ) u_gain (
      .word_i   (word),
      .rounded_i(rounded),
      .beyond_i (beyond),
      .fault_i,
      .gain_o
    );
  end else begin : gen_no_gain
    logic unused_gain;
    assign unused_gain = ^{word, rounded, beyond};
    assign gain_o      = '0;
  end

endmodule
