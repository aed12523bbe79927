// The E8M0 scaling unit, a block of its own: an exact sum of element products and the scale codes
// of its two blocks → x·S as binary32, rounded once (a step's t in `blockwise`, ARITHMETIC §3, §4).
// The exponents are added, never saturated: overflow and gradual underflow are those of the
// rounding. A NaN scale gives the canonical NaN whatever the sum is; a zero sum gives +0. One result
// a cycle, one cycle later.
module e8m0_scaling_unit #(
  parameter int SUM_BITS = 42,
  parameter int ROUNDING = mx_pkg::Rne,
  parameter bit FTZ = 1'b0,
  parameter bit FAULTS = 1'b0
) (
  input  logic                         clk_i,
  input  logic                         rst_ni,         // synchronous, active low
  input  logic                         valid_i,
  input  logic [SUM_BITS-1:0]          sum_i,          // two's complement, not the least number
  input  logic [7:0]                   a_scale_i,
  input  logic [7:0]                   b_scale_i,
  input  logic signed [7:0]            a_unit_log2_i,  // of the formats, as mx_pkg has them
  input  logic signed [7:0]            b_unit_log2_i,
  input  logic [mx_pkg::FaultBits-1:0] fault_i,
  output logic                         valid_o,
  output logic [31:0]                  value_o
);
  localparam int TERM_BITS = SUM_BITS - 1;

  logic                                    nan, negative;
  logic signed [mx_pkg::ExponentWidth-1:0] exponent, term_exponent;
  logic [TERM_BITS-1:0]                    significand;
  logic [30:0]                             magnitude;
  e8m0_scale #(
    .FAULTS(FAULTS)
  ) u_scale (
    .a_scale_i,
    .b_scale_i,
    .a_unit_log2_i,
    .b_unit_log2_i,
    .fault_i,
    .exponent_o(exponent),
    .nan_o     (nan)
  );
  fp32_term #(
    .SUM_BITS      (SUM_BITS),
    .SCALE_BITS    (1),
    .SCALE_SUM_BITS(SUM_BITS),
    .TERM_BITS     (TERM_BITS)
  ) u_term (
    .sum_i,
    .scale_significand_i(1'b1),
    .exponent_i         (exponent),
    .negative_o         (negative),
    .significand_o      (significand),
    .exponent_o         (term_exponent)
  );
  fp32_from_term #(
    .TERM_BITS(TERM_BITS),
    .ROUNDING (ROUNDING),
    .FTZ      (FTZ),
    .FAULTS   (FAULTS)
  ) u_round (
    .significand_i(significand),
    .sticky_i     (1'b0),
    .exponent_i   (term_exponent),
    .fault_i,
    .magnitude_o  (magnitude)
  );

  logic        valid_q;
  logic [31:0] value_q;
  always_ff @(posedge clk_i) begin
    valid_q <= rst_ni && valid_i;
    if (valid_i) value_q <= nan ? 32'h7fc0_0000 : {negative, magnitude};
  end
  assign valid_o = valid_q;
  assign value_o = value_q;

  if (SUM_BITS < 2 || SUM_BITS > 128) begin : g_sum
    initial $fatal(1, "SUM_BITS is %0d: from 2 to 128, so that exponents fit", SUM_BITS);
  end
  if (ROUNDING < mx_pkg::Rz || ROUNDING > mx_pkg::Rne) begin : g_rounding
    initial $fatal(1, "ROUNDING is %0d: from %0d to %0d", ROUNDING, mx_pkg::Rz, mx_pkg::Rne);
  end

endmodule
