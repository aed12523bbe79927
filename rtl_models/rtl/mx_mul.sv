// Exact product of the magnitudes of two decoded elements, in the product of their units.
// Combinational.
module mx_mul #(
  parameter bit FAULTS = 1'b0
) (
  input  logic [mx_pkg::SignificandBits-1:0] a_significand_i,
  input  logic [mx_pkg::ShiftBits-1:0]       a_shift_i,
  input  logic [mx_pkg::SignificandBits-1:0] b_significand_i,
  input  logic [mx_pkg::ShiftBits-1:0]       b_shift_i,
  input  logic [mx_pkg::FaultBits-1:0]       fault_i,
  output logic [mx_pkg::ProductBits-1:0]     magnitude_o
);

  logic [2*mx_pkg::SignificandBits-1:0] significand;
  logic [mx_pkg::ProductShiftBits-1:0]  shift;
  logic                                 loses_lowest_bit;
  assign loses_lowest_bit = FAULTS && fault_i == mx_pkg::FaultMultiplyMax &&
                            &a_significand_i && &b_significand_i;
  assign significand = ({{mx_pkg::SignificandBits{1'b0}}, a_significand_i} *
                        {{mx_pkg::SignificandBits{1'b0}}, b_significand_i})
                     & ~{{(2*mx_pkg::SignificandBits-1){1'b0}}, loses_lowest_bit};
  assign shift = mx_pkg::ProductShiftBits'(a_shift_i) + mx_pkg::ProductShiftBits'(b_shift_i);

  assign magnitude_o = mx_pkg::ProductBits'(significand) << shift;

endmodule
