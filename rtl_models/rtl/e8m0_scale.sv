// The E8M0 scaling unit: log2 of the product of two scales and of the formats' units, so the weight
// of the lowest bit of a block sum, with binary32's bias; NaN where a scale is. Combinational.
module e8m0_scale #(
  parameter bit FAULTS = 1'b0
) (
  input  logic [7:0]                             a_scale_i,
  input  logic [7:0]                             b_scale_i,
  input  logic signed [7:0]                      a_unit_log2_i,
  input  logic signed [7:0]                      b_unit_log2_i,
  input  logic [mx_pkg::FaultBits-1:0]           fault_i,
  output logic signed [mx_pkg::ExponentWidth-1:0] exponent_o,
  output logic                                   nan_o
);
  // Two biases of e8m0 off, binary32's on.
  localparam logic signed [mx_pkg::ExponentWidth-1:0] BIAS = 127 - 2*127;

  logic code_zero_is_one, saturates;
  assign code_zero_is_one = FAULTS && fault_i == mx_pkg::FaultScaleCodeZero;
  assign saturates        = FAULTS && fault_i == mx_pkg::FaultScaleProductSaturates;

  logic [7:0] a_scale, b_scale;
  logic [8:0] sum, scales;
  assign a_scale = code_zero_is_one && a_scale_i == '0 ? 8'd1 : a_scale_i;
  assign b_scale = code_zero_is_one && b_scale_i == '0 ? 8'd1 : b_scale_i;
  assign sum     = {1'b0, a_scale} + {1'b0, b_scale};
  assign scales  = saturates && sum > 9'd381 ? 9'd381 : sum;

  assign exponent_o = mx_pkg::ExponentWidth'({1'b0, scales}) + BIAS
                    + mx_pkg::ExponentWidth'(a_unit_log2_i) + mx_pkg::ExponentWidth'(b_unit_log2_i);
  assign nan_o      = &a_scale_i || &b_scale_i;

endmodule
