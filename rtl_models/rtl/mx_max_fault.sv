// The faults that are planted in the largest magnitude of a block, before its scale is chosen.
// Without FAULTS a wire. Combinational.
module mx_max_fault #(
  parameter bit FAULTS = 1'b0
) (
  input  logic [30:0]                           magnitude_i,
  input  logic                                  prescale_i,
  input  logic [mx_quantize_pkg::PartsBits-1:0] parts_i,  // as fp32_unpack gives them
  input  logic [mx_pkg::QuantizeFaultBits-1:0]  fault_i,
  output logic [mx_quantize_pkg::PartsBits-1:0] parts_o
);
  localparam int SIGNIFICAND = mx_quantize_pkg::SignificandBits;
  localparam int EXPONENT    = mx_quantize_pkg::ExponentBits;
  // Where the hidden bit of a subnormal would stand above the least number.
  localparam logic [EXPONENT-1:0] HIDDEN = 23;

  logic                   subnormal_kept, prescaled;
  logic [SIGNIFICAND-1:0] significand;
  logic [EXPONENT-1:0]    exponent, exponent_below;
  assign subnormal_kept = FAULTS && fault_i == mx_pkg::QuantizeFaultSubnormalMax
                       && magnitude_i[30:23] == '0;
  assign prescaled      = FAULTS && fault_i == mx_pkg::QuantizeFaultPrescaledScale && prescale_i;
  assign {exponent, significand} = parts_i;
  // 3/4 of a significand below 4/3 lies in the binade below.
  assign exponent_below = exponent - EXPONENT'(significand < SIGNIFICAND'(24'haa_aaab));
  assign parts_o = subnormal_kept ? {HIDDEN, 1'b1, magnitude_i[22:0]}
                 : prescaled ? {exponent_below, significand} : parts_i;

endmodule
