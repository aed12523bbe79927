// A block sum and the weight of its lowest bit → sign, significand with its leading bit on top,
// and the biased binary32 exponent of that bit. Exact. Combinational.
module fp32_term (
  input  logic [mx_pkg::SumBits-1:0]              sum_i,       // two's complement
  input  logic signed [mx_pkg::ExponentWidth-1:0] exponent_i,  // biased
  output logic                                    negative_o,
  output logic [mx_pkg::TermBits-1:0]             significand_o,  // 0 for a zero sum
  // For a zero sum the least there is, so that it never lies above an accumulator.
  output logic signed [mx_pkg::ExponentWidth-1:0] exponent_o
);
  localparam logic signed [mx_pkg::ExponentWidth-1:0] LEAST =
      {1'b1, {(mx_pkg::ExponentWidth-1){1'b0}}};

  logic [mx_pkg::TermBits-1:0] magnitude;
  logic [5:0]                  zeros;
  assign negative_o = sum_i[mx_pkg::SumBits-1];
  // The least number of two's complement is no sum of products: no carry leaves the magnitude.
  assign magnitude  = (sum_i[mx_pkg::TermBits-1:0] ^ {mx_pkg::TermBits{negative_o}})
                    + mx_pkg::TermBits'(negative_o);

  leading_zeros #(
    .WIDTH(mx_pkg::TermBits)
  ) u_leading_zeros (
    .word_i (magnitude),
    .count_o(zeros)
  );

  assign significand_o = magnitude << zeros;
  assign exponent_o    = magnitude == '0 ? LEAST
                       : exponent_i + mx_pkg::ExponentWidth'(mx_pkg::TermBits - 1)
                         - mx_pkg::ExponentWidth'({1'b0, zeros});

endmodule
