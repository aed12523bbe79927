// The magnitude of a finite binary32 → significand with its leading bit on top, and that bit's
// exponent, counted from the least number's. Both are 0 for zero. Combinational.
module fp32_unpack (
  input  logic [30:0]                              magnitude_i,
  output logic [mx_quantize_pkg::PartsBits-1:0]    parts_o  // {exponent, significand}
);
  localparam int SIGNIFICAND = mx_quantize_pkg::SignificandBits;
  localparam int EXPONENT    = mx_quantize_pkg::ExponentBits;
  localparam int ZEROS       = $clog2(SIGNIFICAND + 1);

  logic                   normal;
  logic [SIGNIFICAND-1:0] significand;
  logic [ZEROS-1:0]       zeros;
  logic [EXPONENT-1:0]    unit, exponent;  // of the lowest bit; of the leading one
  assign normal      = magnitude_i[30:23] != '0;
  assign significand = {normal, magnitude_i[22:0]};
  assign unit        = normal ? EXPONENT'(magnitude_i[30:23]) - 1'b1 : '0;
  leading_zeros #(
    .WIDTH(SIGNIFICAND)
  ) u_leading_zeros (
    .word_i (significand),
    .count_o(zeros)
  );
  assign exponent = magnitude_i == '0 ? '0 : unit + EXPONENT'(SIGNIFICAND - 1) - EXPONENT'(zeros);
  assign parts_o  = {exponent, significand << zeros};

endmodule
