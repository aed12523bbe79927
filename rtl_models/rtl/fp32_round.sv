// Rounds a significand to binary32 with overflow to infinity: to nearest, ties to even, or toward
// zero, with 23 or 13 fraction bits. A carry out of the significand is one into the exponent.
// Combinational.
module fp32_round #(
  parameter int ROUNDING = mx_pkg::Rne,
  parameter bit FAULTS = 1'b0
) (
  input  logic [23:0]                      significand_i,  // hidden bit on top, or subnormal
  input  logic                             guard_i,        // the bit below
  input  logic                             rest_i,         // a bit below that is set
  // Biased, minus one: the hidden bit adds it.
  input  logic [mx_pkg::ExponentWidth-2:0] exponent_i,
  input  logic [mx_pkg::FaultBits-1:0]     fault_i,
  output logic [30:0]                      magnitude_o
);
  localparam int WIDTH = mx_pkg::ExponentWidth + 23;

  logic truncates, tie_away, overflow_is_max;  // planted faults
  assign truncates       = FAULTS && fault_i == mx_pkg::FaultRoundSubnormal;
  assign tie_away        = FAULTS && fault_i == mx_pkg::FaultTieAway;
  assign overflow_is_max = FAULTS && fault_i == mx_pkg::FaultRoundOverflow;

  logic             tie, round_up, overflow;
  logic [23:0]      significand;
  logic [WIDTH-1:0] rounded;
  if (ROUNDING == mx_pkg::Rne) begin : gen_nearest
    assign round_up    = ((guard_i && rest_i) || (tie && (significand_i[0] || tie_away)))
                       && !(truncates && !significand_i[23]);
    assign significand = significand_i;
  end else begin : gen_toward_zero
    logic unused_bits;
    assign unused_bits = ^{tie, tie_away, truncates};
    assign round_up    = 1'b0;
    assign significand = ROUNDING == mx_pkg::Rz13 ? {significand_i[23:10], 10'b0} : significand_i;
  end
  assign tie      = guard_i && !rest_i;
  assign rounded  = {1'b0, exponent_i, 23'b0} + WIDTH'(significand) + WIDTH'(round_up);
  assign overflow = rounded >= WIDTH'(32'h7f80_0000);

  assign magnitude_o = !overflow ? rounded[30:0] : overflow_is_max ? 31'h7f7f_ffff
                                                                   : 31'h7f80_0000;

endmodule
