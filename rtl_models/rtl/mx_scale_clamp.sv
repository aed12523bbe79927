// A scale exponent within the range of e8m0. Combinational.
module mx_scale_clamp (
  input  logic signed [mx_quantize_pkg::DifferenceBits-1:0] exponent_i,
  output logic signed [mx_quantize_pkg::DifferenceBits-1:0] exponent_o
);
  localparam logic signed [mx_quantize_pkg::DifferenceBits-1:0] LARGEST = 127;

  assign exponent_o = exponent_i > LARGEST ? LARGEST
                    : exponent_i < -LARGEST ? -LARGEST : exponent_i;

endmodule
