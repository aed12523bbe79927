// What the products of some lanes are, beside their magnitudes. Combinational.
module mx_product_flags #(
  parameter int LANES = 32
) (
  input  logic [3*LANES-1:0] a_i,  // {inf, negative, nonzero}, each of all lanes
  input  logic [3*LANES-1:0] b_i,
  output logic [LANES-1:0]   negative_o,
  output logic [LANES-1:0]   nonzero_o,
  output logic [LANES-1:0]   inf_o,  // Inf; the magnitude means nothing then
  output logic [LANES-1:0]   nan_o   // Inf · 0
);
  logic [LANES-1:0] a_inf, a_negative, a_nonzero, b_inf, b_negative, b_nonzero;
  assign {a_inf, a_negative, a_nonzero} = a_i;
  assign {b_inf, b_negative, b_nonzero} = b_i;

  assign negative_o = a_negative ^ b_negative;
  assign nonzero_o  = a_nonzero & b_nonzero;
  assign inf_o      = (a_inf & b_nonzero) | (b_inf & a_nonzero);
  assign nan_o      = (a_inf & ~b_nonzero) | (b_inf & ~a_nonzero);

endmodule
