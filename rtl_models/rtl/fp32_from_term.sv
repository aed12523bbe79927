// A term (fp32_term) → the magnitude of its binary32, with gradual underflow and overflow to
// infinity. Combinational.
module fp32_from_term #(
  parameter int TERM_BITS = 41,
  parameter int ROUNDING  = mx_pkg::Rne,
  parameter bit FTZ = 1'b0,
  parameter bit FAULTS = 1'b0
) (
  input  logic [TERM_BITS-1:0]                    significand_i,  // leading bit on top, or 0
  input  logic                                    sticky_i,       // a bit below it is set
  input  logic signed [mx_pkg::ExponentWidth-1:0] exponent_i,     // biased, of the top bit
  input  logic [mx_pkg::FaultBits-1:0]            fault_i,
  output logic [30:0]                             magnitude_o
);
  localparam int WINDOW = (TERM_BITS > 24 ? TERM_BITS : 24) + 1;  // at least a guard bit

  // Below the least exponent the significand moves right; more than 25 places leave no guard bit.
  logic                             subnormal;
  logic [mx_pkg::ExponentWidth-1:0] distance;
  logic [4:0]                       places;
  logic [WINDOW-1:0]                window, moved, lost;
  assign subnormal = exponent_i < mx_pkg::ExponentWidth'(1);
  assign distance  = mx_pkg::ExponentWidth'(1) - exponent_i;
  assign places    = !subnormal ? 5'd0 : distance > mx_pkg::ExponentWidth'(26) ? 5'd26
                                                                               : distance[4:0];
  assign window    = {significand_i, {(WINDOW-TERM_BITS){1'b0}}};
  assign moved     = window >> places;
  assign lost      = window & ~({WINDOW{1'b1}} << places);

  logic                             rest;
  logic [mx_pkg::ExponentWidth-2:0] exponent;  // minus one
  logic [30:0]                      magnitude;
  if (WINDOW == 25) begin : gen_no_rest
    assign rest = sticky_i || lost != '0;
  end else begin : gen_rest
    assign rest = sticky_i || lost != '0 || moved[WINDOW-26:0] != '0;
  end
  assign exponent = subnormal ? '0 : exponent_i[mx_pkg::ExponentWidth-2:0] - 1'b1;
  fp32_round #(
    .ROUNDING(ROUNDING),
    .FAULTS  (FAULTS)
  ) u_round (
    .significand_i(moved[WINDOW-1 -: 24]),
    .guard_i      (moved[WINDOW-25]),
    .rest_i       (rest),
    .exponent_i   (exponent),
    .fault_i,
    .magnitude_o  (magnitude)
  );
  assign magnitude_o = FTZ && magnitude[30:23] == '0 ? '0 : magnitude;

endmodule
