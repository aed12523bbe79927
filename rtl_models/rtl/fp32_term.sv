// A sum, the significand that multiplies it, and the weight of its lowest bit → sign, significand
// with its leading bit on top, and the biased binary32 exponent of that bit. Exact. Combinational.
module fp32_term #(
  parameter int SUM_BITS       = 42,
  parameter int SCALE_BITS     = 1,
  // Where SCALE_BITS > 1: width of a sum that another significand than 1 multiplies.
  parameter int SCALE_SUM_BITS = 42,
  parameter int TERM_BITS      = 41
) (
  input  logic [SUM_BITS-1:0]                     sum_i,  // two's complement, not the least number
  input  logic [SCALE_BITS-1:0]                   scale_significand_i,
  input  logic signed [mx_pkg::ExponentWidth-1:0] exponent_i,  // biased, of the lowest bit
  output logic                                    negative_o,
  output logic [TERM_BITS-1:0]                    significand_o,  // 0 for zero
  // For zero the least there is, so that it never lies above an accumulator.
  output logic signed [mx_pkg::ExponentWidth-1:0] exponent_o
);
  localparam logic signed [mx_pkg::ExponentWidth-1:0] LEAST =
      {1'b1, {(mx_pkg::ExponentWidth-1){1'b0}}};
  localparam int ZEROS = $clog2(TERM_BITS + 1);

  logic [SUM_BITS-2:0]  sum_magnitude;
  logic [TERM_BITS-1:0] magnitude;
  logic [ZEROS-1:0]     zeros;
  assign negative_o    = sum_i[SUM_BITS-1];
  assign sum_magnitude = (sum_i[SUM_BITS-2:0] ^ {(SUM_BITS-1){negative_o}})
                       + (SUM_BITS-1)'(negative_o);
  if (SCALE_BITS == 1) begin : gen_power_of_two
    logic unused_significand;
    assign unused_significand = scale_significand_i[0];
    assign magnitude = TERM_BITS'(sum_magnitude);
  end else begin : gen_scale
    logic [TERM_BITS-1:0] scaled;
    assign scaled    = TERM_BITS'(sum_magnitude[SCALE_SUM_BITS-2:0])
                     * TERM_BITS'(scale_significand_i);
    assign magnitude = scale_significand_i == SCALE_BITS'(1) ? TERM_BITS'(sum_magnitude) : scaled;
  end

  leading_zeros #(
    .WIDTH(TERM_BITS)
  ) u_leading_zeros (
    .word_i (magnitude),
    .count_o(zeros)
  );

  assign significand_o = magnitude << zeros;
  assign exponent_o    = magnitude == '0 ? LEAST
                       : exponent_i + mx_pkg::ExponentWidth'(TERM_BITS - 1)
                         - mx_pkg::ExponentWidth'({1'b0, zeros});

endmodule
