// Exact product of the magnitudes of two decoded elements: significand · 2^shift in the product of
// their units. Combinational.
module mx_mul #(
  parameter logic [mx_pkg::NumFormats-1:0] A_FORMATS = mx_pkg::AllFormats,
  parameter logic [mx_pkg::NumFormats-1:0] B_FORMATS = mx_pkg::AllFormats,
  parameter bit FAULTS = 1'b0,
  localparam int ABits           = mx_width_pkg::number_bits(A_FORMATS),
  localparam int BBits           = mx_width_pkg::number_bits(B_FORMATS),
  localparam int SignificandBits = mx_width_pkg::product_significand_bits(A_FORMATS, B_FORMATS),
  localparam int ShiftBits       = mx_width_pkg::product_shift_bits(A_FORMATS, B_FORMATS)
) (
  input  logic [ABits-1:0]             a_i,  // {significand, shift}
  input  logic [BBits-1:0]             b_i,
  input  logic [mx_pkg::FaultBits-1:0] fault_i,
  output logic [SignificandBits-1:0]   significand_o,
  output logic [ShiftBits-1:0]         shift_o
);
  localparam int A_SIGNIFICAND = mx_width_pkg::significand_bits(A_FORMATS);
  localparam int B_SIGNIFICAND = mx_width_pkg::significand_bits(B_FORMATS);
  localparam int A_SHIFT       = mx_width_pkg::shift_bits(A_FORMATS);
  localparam int B_SHIFT       = mx_width_pkg::shift_bits(B_FORMATS);

  logic [A_SIGNIFICAND-1:0]   a_significand;
  logic [B_SIGNIFICAND-1:0]   b_significand;
  logic [A_SHIFT-1:0]         a_shift;
  logic [B_SHIFT-1:0]         b_shift;
  logic [SignificandBits-1:0] product;
  logic                       loses_lowest_bit;  // planted fault
  assign {a_significand, a_shift} = a_i;
  assign {b_significand, b_shift} = b_i;
  assign loses_lowest_bit = FAULTS && fault_i == mx_pkg::FaultMultiplyMax
                         && a_significand == A_SIGNIFICAND'(15)
                         && b_significand == B_SIGNIFICAND'(15);

  assign product       = SignificandBits'(a_significand) * SignificandBits'(b_significand);
  assign significand_o = {product[SignificandBits-1:1], product[0] && !loses_lowest_bit};
  assign shift_o       = ShiftBits'(a_shift) + ShiftBits'(b_shift);

endmodule
