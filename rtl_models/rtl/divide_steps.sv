// Some steps of a restoring division, each of which gives a bit of the quotient, the highest
// first. The first compares the remainder itself, so that a quotient below 2 begins with the bit
// above its binary point. Combinational.
module divide_steps #(
  parameter int DIVISOR_BITS = 28,
  parameter int STEPS        = 4
) (
  input  logic [DIVISOR_BITS:0]   remainder_i,  // below twice the divisor
  input  logic [DIVISOR_BITS-1:0] divisor_i,
  output logic [STEPS-1:0]        quotient_o,
  output logic [DIVISOR_BITS:0]   remainder_o   // of the step that follows
);
  for (genvar i = STEPS - 1; i >= 0; i--) begin : gen_step
    logic                    less;
    logic [DIVISOR_BITS:0]   remainder, difference;
    logic [DIVISOR_BITS-1:0] rest;
    if (i == STEPS - 1) begin : gen_first
      assign remainder = remainder_i;
    end else begin : gen_next
      assign remainder = {gen_step[i+1].rest, 1'b0};
    end
    assign {less, difference} = {1'b0, remainder} - {2'b00, divisor_i};
    assign rest               = less ? remainder[DIVISOR_BITS-1:0] : difference[DIVISOR_BITS-1:0];
    assign quotient_o[i]      = !less;
    // What is left is below the divisor.
    logic unused_high;
    assign unused_high = difference[DIVISOR_BITS];
  end
  assign remainder_o = {gen_step[0].rest, 1'b0};

endmodule
