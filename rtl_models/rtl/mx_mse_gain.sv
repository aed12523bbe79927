// What a code C gains on the code 0 in the squared error of an element X: X² - (C - X)² =
// C · (2X - C), which is not negative where C is X rounded. The X² of all elements are the same
// for every scale, so that the scale with the largest sum of gains has the least squared error.
// Exact, in units of the last place's square times 2^-26. Combinational.
module mx_mse_gain #(
  parameter int QUOTIENT_BITS = 7,
  parameter int FRACTION_BITS = 32,  // at least 26, and the 26 highest hold all of X where C > 0
  parameter bit FAULTS = 1'b0,
  localparam int GainBits = 2 * (QUOTIENT_BITS + 1) + mx_quantize_pkg::ProductBits
) (
  input  logic [QUOTIENT_BITS+FRACTION_BITS-1:0] word_i,  // as mx_encode gives them
  input  logic [QUOTIENT_BITS:0]                 rounded_i,
  input  logic                                   beyond_i,  // then X is twice the word, not more
  input  logic [mx_pkg::QuantizeFaultBits-1:0]   fault_i,
  output logic [GainBits-1:0]                    gain_o
);
  localparam int FRACTION = mx_quantize_pkg::ProductBits;
  // 2X - C is below 2^(QUOTIENT_BITS + 2).
  localparam int WIDTH = QUOTIENT_BITS + 2 + FRACTION;

  logic in_binade;  // planted fault
  assign in_binade = FAULTS && fault_i == mx_pkg::QuantizeFaultMseSaturated;

  logic [QUOTIENT_BITS+FRACTION-1:0] word;
  logic [WIDTH-1:0]                  twice, rest;
  logic [GainBits-1:0]               wide_rest;
  assign word      = word_i[QUOTIENT_BITS+FRACTION_BITS-1 -: QUOTIENT_BITS+FRACTION];
  assign twice     = beyond_i && !in_binade ? {word, 2'b00} : {1'b0, word, 1'b0};
  assign rest      = twice - {1'b0, rounded_i, {FRACTION{1'b0}}};
  assign wide_rest = GainBits'(rest);
  // C · (2X - C) is at most X².
  assign gain_o    = wide_rest * GainBits'(rounded_i);
  if (FRACTION_BITS > FRACTION) begin : gen_low
    logic unused_low;
    assign unused_low = ^word_i[FRACTION_BITS-FRACTION-1:0];
  end

endmodule
