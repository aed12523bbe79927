// Exact product of two decoded elements: ±significand · 2^shift in the product of their units.
// Combinational.
module mx_mul #(
  parameter logic [mx_pkg::NumFormats-1:0] A_FORMATS = mx_pkg::AllFormats,
  parameter logic [mx_pkg::NumFormats-1:0] B_FORMATS = mx_pkg::AllFormats,
  parameter bit FAULTS = 1'b0,
  localparam int ABits           = mx_width_pkg::element_bits(A_FORMATS),
  localparam int BBits           = mx_width_pkg::element_bits(B_FORMATS),
  localparam int SignificandBits = mx_width_pkg::product_significand_bits(A_FORMATS, B_FORMATS),
  localparam int ShiftBits       = mx_width_pkg::product_shift_bits(A_FORMATS, B_FORMATS)
) (
  input  logic [ABits-1:0]             a_i,  // elements, as mx_decode gives them
  input  logic [BBits-1:0]             b_i,
  input  logic [mx_pkg::FaultBits-1:0] fault_i,
  output logic                         negative_o,
  output logic [SignificandBits-1:0]   significand_o,
  output logic [ShiftBits-1:0]         shift_o,
  output logic                         nonzero_o,
  output logic                         inf_o,  // Inf, significand and shift mean nothing then
  output logic                         nan_o   // Inf · 0
);
  localparam int A_SIGNIFICAND = mx_width_pkg::significand_bits(A_FORMATS);
  localparam int B_SIGNIFICAND = mx_width_pkg::significand_bits(B_FORMATS);
  localparam int A_SHIFT       = mx_width_pkg::shift_bits(A_FORMATS);
  localparam int B_SHIFT       = mx_width_pkg::shift_bits(B_FORMATS);

  logic                       a_negative, a_inf, a_nonzero, b_negative, b_inf, b_nonzero;
  logic [A_SIGNIFICAND-1:0]   a_significand;
  logic [B_SIGNIFICAND-1:0]   b_significand;
  logic [A_SHIFT-1:0]         a_shift;
  logic [B_SHIFT-1:0]         b_shift;
  logic [SignificandBits-1:0] product;
  logic                       loses_lowest_bit;  // planted fault
  assign {a_inf, a_negative, a_significand, a_shift} = a_i;
  assign {b_inf, b_negative, b_significand, b_shift} = b_i;
  assign a_nonzero = a_significand != '0;
  assign b_nonzero = b_significand != '0;
  assign loses_lowest_bit = FAULTS && fault_i == mx_pkg::FaultMultiplyMax
                         && a_significand == A_SIGNIFICAND'(15)
                         && b_significand == B_SIGNIFICAND'(15);

  assign negative_o    = a_negative ^ b_negative;
  assign product       = SignificandBits'(a_significand) * SignificandBits'(b_significand);
  assign significand_o = {product[SignificandBits-1:1], product[0] && !loses_lowest_bit};
  assign shift_o       = ShiftBits'(a_shift) + ShiftBits'(b_shift);
  assign nonzero_o     = a_nonzero && b_nonzero;
  assign inf_o         = (a_inf && b_nonzero) || (b_inf && a_nonzero);
  assign nan_o         = (a_inf && !b_nonzero) || (b_inf && !a_nonzero);

endmodule
